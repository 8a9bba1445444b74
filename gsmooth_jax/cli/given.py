"""What several commands are given: data, and a network. ``tyro`` makes options of the fields."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from gsmooth_jax.methods.base import Method
    from gsmooth_jax.models import Model
    from gsmooth_jax.results.inputs import Inputs
    from gsmooth_jax.types import Domain, Transform


@dataclasses.dataclass(frozen=True)
class Data:
    """Which inputs."""

    data: str = "embedded"
    """embedded; a data set that `gsmooth data prepare` has prepared, or any image data set that TFDS has, by its name;
    folder:PATH, a folder of pictures, or of WAV files (16 bits, one channel), with one folder a class, or with files
    alone (no labels), or a CSV file of file and label; or a file.npz of images, labels and ids."""
    split: str = "test"
    """of a data set."""
    every: int = 1
    """take images 0, every, 2 every, ...: 20 of MNIST's test images are the 500 of the published tables."""
    limit: int | None = None
    """take this many images at most; a run goes on with a larger limit. Pictures of a folder come in an order of their
    own, which mixes the classes."""
    data_dir: str | None = None
    """where data sets are prepared; the TFDS default if left out."""
    resize: tuple[int, ...] = ()
    """of pictures: HEIGHT WIDTH, or one number for the shorter side; bilinear."""
    crop: tuple[int, ...] = ()
    """of pictures, then: HEIGHT WIDTH, or one number for both, of the middle."""

    def inputs(self) -> "Inputs":
        """The inputs; raises as ``results.sources.named``."""
        from gsmooth_jax.results import sources

        where = {"data_dir": self.data_dir, "resize": self.resize, "crop": self.crop}
        return sources.named(self.data, self.split, every=self.every, limit=self.limit, **where)


@dataclasses.dataclass(frozen=True)
class Network:
    """Which network, and how it takes its images."""

    checkpoint: tuple[Path, ...] = ()
    """folder of `gsmooth train`, or several, which then vote by their mean log-probabilities; the one shipped for the
    transform if left out."""
    model: str | None = None
    """instead, a network from elsewhere: net.onnx; nets.py:net or package.nets:net, an object of that name in Python
    code, which is run: a Flax, Equinox or Keras network, a PyTorch module, a function of JAX or a gs.models.HostModel;
    or a checkpoint's folder."""
    layout: Literal["NHWC", "NCHW", "HWC", "CHW"] | None = None
    """of the images that the network takes: NHWC or NCHW, batches with channels last or first; HWC or CHW, one image at
    a time. To be said of ONNX files and PyTorch modules; others take NHWC if it is left out."""
    scale: float = 1.0
    """of the intensities that the network takes, which are in [0, 1] here: 255 for file levels 0 to 255."""
    mean: tuple[float, ...] = ()
    """subtracted from those: one number a channel, or one for all, such as 0.485 0.456 0.406."""
    std: tuple[float, ...] = ()
    """what is left is divided by: likewise, such as 0.229 0.224 0.225."""
    denoiser: Path | None = None
    """folder of `gsmooth fit-denoiser`: the network is certified behind it, under the noise that it was fitted to if
    --law is left out."""
    dtype: Literal["float32", "bfloat16"] | None = None
    """in which the classifier computes, a part of the claim; the checkpoint's own if left out."""

    def found(self, transform: str) -> "FoundNetwork":
        """What the options mean where a transform of that name is at work.

        Raises:
          ValueError: options that do not go together, or no network is shipped for the transform.
        """
        from gsmooth_jax import assets, models

        if self.layout is None and (self.scale, self.mean, self.std) != (1.0, (), ()):
            said = f"scale={self.scale}, mean={self.mean}, std={self.std}"
            raise ValueError(f"Expected --layout with --scale, --mean and --std, got none with {said}.")
        form = None
        if self.layout is not None:
            form = {"layout": self.layout, "scale": self.scale, "mean": self.mean, "std": self.std}
        if self.model is None:
            if form is not None:
                raise ValueError(f"Expected --model with --layout, got none with layout={self.layout!r}.")
            folders = self.checkpoint or (Path(assets.classifier_for(transform)),)
            return FoundNetwork(folders=folders, denoiser=self.denoiser, dtype=self.dtype)
        if self.checkpoint:
            raise ValueError(f"Expected --checkpoint or --model, got both: {self.checkpoint[0]} and {self.model}.")
        if models.elsewhere(self.model):
            return FoundNetwork(model=self.model, form=form, denoiser=self.denoiser, dtype=self.dtype)
        models.named_model(self.model, form)  # a checkpoint's folder, which knows the form
        return FoundNetwork(folders=(Path(self.model),), denoiser=self.denoiser, dtype=self.dtype)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoundNetwork:
    """A network that was named, not read yet.

    Attributes:
      folders: of checkpoints, or none.
      model: text of one from elsewhere.
      form: how that takes its images.
      denoiser: folder of the denoiser before it, if there is one.
      dtype: in which it is to compute.
    """

    folders: tuple[Path, ...] = ()
    model: str | None = None
    form: dict[str, Any] | None = None
    denoiser: Path | None = None
    dtype: str | None = None

    def method(self, name: str, law: str | None, transform: "Transform") -> "Method":
        """The method of a claim: with the law that was named, or the one under which a checkpoint was trained."""
        from gsmooth_jax.methods import registry

        trained = law is None and registry.takes(name) != "nothing"
        if not trained:
            return registry.parse(name, law or "", transform)
        return registry.choose(name, self.trained_law(transform.name), transform)

    def trained_law(self, transform: str) -> Any:
        """The noise that the denoiser was fitted to, or the law, or the noise, under which a checkpoint was trained.

        Raises as ``results.certify.trained_law``.
        """
        from gsmooth_jax.results import certify

        if self.denoiser is not None:
            return certify.fitted_noise(self.denoiser)

        if not self.folders:
            raise ValueError(
                'Expected --law with --model, such as "pixel_noise(sigma=0.25)": the network does not say under what '
                "noise it was trained."
            )
        return certify.trained_law(self.folders[0], transform)

    def load(self, domain: "Domain | None") -> "Model":
        """Reads it, for inputs of a domain, which is known of all data that have a name."""
        from gsmooth_jax import models
        from gsmooth_jax.surrogate import denoiser

        if self.model is None:
            found = models.ensemble([models.load(place, self.dtype) for place in self.folders])
        else:
            assert domain is not None
            found = models.load_named(self.model, domain, self.form, self.dtype)
        return denoiser.behind(self.denoiser, found)
