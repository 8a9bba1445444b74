"""What a denoiser's fit is: one frozen dataclass, which is also the command line of ``gsmooth fit-denoiser``."""

import dataclasses
from typing import Literal

from gsmooth_jax import _validate
from gsmooth_jax.surrogate.denoiser import DenoisingNetwork


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenoiserConfig:
    """Fits a network that takes noise away from images, before a classifier that has not seen any."""

    out: str
    """Folder of the denoiser. A folder with the same settings is resumed, one with other settings is refused."""
    noise: float
    """Standard deviation of the Gaussian noise of the pixels, whose range is 1: that of the claims to come."""
    data: str = "mnist"
    """Name of the data set."""
    objective: Literal["mse", "stability"] = "mse"
    """mse: the image itself; stability: the classifiers' own answers to the image, by cross entropy. Labels are not
    looked at."""
    classifier: tuple[str, ...] = ()
    """Networks whose answers are to be kept: checkpoint folders, or nets.py:net as for --model. One that will stand
    behind the denoiser is the white box of the paper; others in its place, in turn a step each, are the black box. With
    mse they are only asked how many answers are kept."""
    start: str | None = None
    """Folder of a denoiser whose weights the fit starts from, such as one fitted by mse before stability."""
    transform: tuple[str, ...] = ()
    """Transforms that the images to come may have gone through, such as "rotation": each image goes through one before
    the noise, which alone is to be taken away."""
    law: tuple[str, ...] = ()
    """Law of the transform's parameter, such as "uniform(low=-10, high=10)"; one for each transform."""
    arch: str = "unet-small"
    """Network: unet-small, or of the published surrogates' sizes unet, res-unet and edsr."""
    width: int | None = None
    """Channels at full resolution; the network's own by default."""
    epochs: int = 10
    """Passes over the training images."""
    batch_size: int = 128
    """Images a step."""
    learning_rate: float = 2e-3
    """Peak learning rate of Adam."""
    seed: int = 0
    """Seed of the weights, the order of the images and all draws."""

    def __post_init__(self):
        _validate.at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        _validate.at_least(0, seed=self.seed)
        _validate.positive(noise=self.noise, learning_rate=self.learning_rate)
        _validate.known(dict.fromkeys(("mse", "stability")), objective=self.objective)
        for name in ("classifier", "transform", "law"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"Expected a tuple of texts, got {name}={getattr(self, name)!r}.")
        if self.objective == "stability" and not self.classifier:
            raise ValueError("Expected a classifier whose answers are to be kept with objective 'stability', got none.")
        if not len(self.transform) == len(self.law) <= self.batch_size:
            raise ValueError(
                f"Expected as many laws as transforms, and no more than batch_size={self.batch_size}, got "
                f"transform={self.transform!r} and law={self.law!r}."
            )
        self.network()

    def network(self) -> DenoisingNetwork:
        """Returns the network."""
        return DenoisingNetwork(name=self.arch, width=self.width)
