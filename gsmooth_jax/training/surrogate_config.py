"""What a surrogate's fit is: one frozen dataclass, which is also the command line of ``gsmooth fit-surrogate``."""

import dataclasses
import math

from gsmooth_jax import _validate, transforms
from gsmooth_jax.regions import Box
from gsmooth_jax.types import Transform


@dataclasses.dataclass(frozen=True, kw_only=True)
class FitConfig:
    """Fits a network that stands in for a transform, by the mean absolute difference of their images."""

    out: str
    """Folder of the surrogate. A folder with the same settings is resumed, one with other settings is refused."""
    transform: str
    """What to imitate, such as "rotational_blur"."""
    data: str = "mnist"
    """Name of the data set."""
    region: tuple[float, ...] | None = None
    """LOW HIGH for each parameter, in its unit; the region of the published tables if left out."""
    arch: str = "unet-small"
    """Networks: unet-small, or of the published sizes unet, res-unet and edsr."""
    width: int | None = None
    """Channels of H at full resolution; the network's own by default."""
    encoder: tuple[int, ...] | None = None
    """Channels between the convolutions of F2; "--encoder 0" makes F2 the identity, whose Lipschitz constant is 1."""
    sigma_parameter: tuple[float, ...] = (0.0,)
    """Smoothing noise of the parameters to come (one number, or one a parameter): widens the fitted range threefold."""
    sigma: float = 0.0
    """Smoothing noise of the latent to come: H learns to remove it."""
    encoder_decay: float = 1e-2
    """Weight of F2's squared weights in the loss. To beat latent noise F2 enlarges, which distances pay for."""
    epochs: int = 10
    """Passes over the training images."""
    batch_size: int = 128
    """Images a step, each with its own parameter."""
    learning_rate: float = 2e-3
    """Peak learning rate of Adam."""
    seed: int = 0
    """Seed of the weights, the order of the images and all draws."""

    def __post_init__(self):
        _validate.at_least(1, epochs=self.epochs, batch_size=self.batch_size)
        _validate.at_least(0, seed=self.seed)
        _validate.positive(learning_rate=self.learning_rate)
        for name in ("sigma", "encoder_decay"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"Expected {name} >= 0 and finite, got {name}={value!r}.")
        if any(not (math.isfinite(s) and s >= 0) for s in self.sigma_parameter):
            raise ValueError(f"Expected sigma_parameter >= 0 and finite, got {self.sigma_parameter!r}.")
        if len(self.sigma_parameter) not in (1, len(self.adversary().params)):
            raise ValueError(
                f"Expected one sigma_parameter or one for each parameter of {self.transform!r}, "
                f"got {self.sigma_parameter!r}."
            )
        self.box()

    def adversary(self) -> Transform:
        """Returns the transform."""
        transform = transforms.parse(self.transform)
        if not transform.params or any(p.per_pixel for p in transform.params):
            raise ValueError(f"Expected a transform with a few parameters, got {self.transform!r}.")
        return transform

    def box(self) -> Box:
        """Returns the range of parameters that the surrogate is for."""
        transform = self.adversary()
        if self.region is None:
            return Box(*zip(*transform.typical, strict=True))  # pyright: ignore[reportAttributeAccessIssue]
        if len(self.region) != 2 * len(transform.params):
            raise ValueError(
                f"Expected LOW HIGH for each of the {len(transform.params)} parameters of {self.transform!r}, "
                f"got region={self.region!r}."
            )
        return Box(self.region[::2], self.region[1::2])

    def drawn(self) -> Box:
        """Returns the range of parameters to draw: three standard deviations wider, where the transform is defined."""
        box, params = self.box(), self.adversary().params
        sigmas = self.sigma_parameter * (len(params) if len(self.sigma_parameter) == 1 else 1)
        low = [max(p.low, a - 3 * s) for p, a, s in zip(params, box.low, sigmas, strict=True)]
        high = [min(p.high, b + 3 * s) for p, b, s in zip(params, box.high, sigmas, strict=True)]
        return Box(low, high)
