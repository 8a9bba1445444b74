"""What a training run is: one frozen dataclass, which is also the command line of ``gsmooth train``."""

import dataclasses
import math
from typing import Literal

from gsmooth_jax import _validate, models
from gsmooth_jax.models.normalize import Mode


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Trains a classifier under the smoothing it will be certified with."""

    out: str
    """Folder of the checkpoint. A folder with the same settings is resumed, one with other settings is refused."""
    data: str = "mnist"
    """Name of the data set; or folder:PATH, where PATH/train and PATH/test hold one folder a class, of pictures or of
    WAV files (16 bits, one channel, of one rate and length)."""
    arch: str = "convnet"
    """Name of the network: convnet, convnet_bn, resnet20, resnet110, preresnet110 or speed_net, audio_net of
    waveforms; with its options, as in "speed_net(mirror=True)", which answers by an image and its mirror image, or
    "audio_net(rate=8000)"."""
    transform: tuple[str, ...] = ()
    """Transform applied to every training image, such as "rotation"; of several, each image goes through one, and
    through one that is named twice twice as often."""
    law: tuple[str, ...] = ()
    """Law of the transform's parameter, such as "uniform(low=-50, high=50)"; one for each transform. Of a composition
    it may be one for each stage, joined by |. Draws outside the transform's range are moved to its nearest end."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise, added after the transform: to the pixels, or to a surrogate's latent."""
    surrogate: str | None = None
    """Folder of a surrogate through which every image goes, with noise, after the transform. Needs sigma-parameter."""
    sigma_parameter: float | None = None
    """Standard deviation of the noise of the surrogate's parameter, in its unit."""
    consistency: float = 0.0
    """Weight lambda of the consistency loss (Jeong and Shin 2020); two draws an image when positive."""
    epochs: int = 10
    """Passes over the training images."""
    batch_size: int = 256
    """Images a step."""
    optimizer: Literal["auto", "adam", "sgd", "muon"] = "auto"
    """auto: adam for the convnets and audio_net, sgd (Nesterov's) for the residual networks, muon for speed_net."""
    learning_rate: float | None = None
    """Peak learning rate; by default 0.002 for adam, 0.1 for sgd and for muon."""
    weight_decay: float = 1e-4
    """Decay of weight matrices; biases and normalisation scales are never decayed."""
    crop_flip: bool = False
    """Random crops (4 pixels of zero padding) and horizontal flips, the usual CIFAR augmentation."""
    flips: bool = False
    """Random horizontal flips."""
    shifts: int = 0
    """Random shifts by up to so many pixels along each axis; what enters is the image mirrored at its border."""
    label_smoothing: float = 0.0
    """Share of the truth that is spread evenly over all classes."""
    averaging: float = 0.0
    """Decay a step of an average of the weights, such as 0.99; the average is what is evaluated and kept."""
    validation: int = 0
    """So many training images, the last ones, are held out and evaluated in place of the test images."""
    start: str | None = None
    """Folder of a checkpoint whose weights the training starts from, in place of random ones."""
    normalize: Mode = "none"
    """Input layer: none, dataset or image (removes its mean and deviation), sharpen and refocus (for blur), centre (for
    shifts)."""
    seed: int = 0
    """Seed of the weights, the order of the images and all draws."""

    def __post_init__(self):
        models.Architecture.parse(self.arch, classes=2, normalize=models.Normalize())
        _validate.at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        _validate.at_least(0, seed=self.seed)
        if self.learning_rate is not None:
            _validate.positive(learning_rate=self.learning_rate)
        _validate.at_least(0, shifts=self.shifts, validation=self.validation)
        for name in ("label_smoothing", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"Expected 0 <= {name} < 1, got {name}={getattr(self, name)!r}.")
        for name in ("noise", "consistency", "weight_decay"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Expected {name} >= 0 and finite, got {name}={value!r}.")
        if isinstance(self.transform, str) or isinstance(self.law, str) or len(self.transform) != len(self.law):
            raise ValueError(
                f"Expected tuples of transforms and of as many laws, got transform={self.transform!r} and "
                f"law={self.law!r}."
            )
        if len(self.transform) > self.batch_size:
            raise ValueError(
                f"Expected batch_size >= {len(self.transform)}, the number of transforms, got {self.batch_size}."
            )
        if (self.surrogate is None) != (self.sigma_parameter is None) or (self.surrogate and not self.noise):
            raise ValueError(
                f"Expected surrogate, sigma_parameter and noise > 0 together, got surrogate={self.surrogate!r}, "
                f"sigma_parameter={self.sigma_parameter!r}, noise={self.noise!r}."
            )
        if self.sigma_parameter is not None:
            _validate.positive(sigma_parameter=self.sigma_parameter)

    @property
    def draws(self) -> int:
        """Augmented copies of every image in a step."""
        return 2 if self.consistency > 0 else 1
