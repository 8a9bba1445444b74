"""What ``certify`` and ``plan`` are asked to prove, and how it is tested. ``tyro`` makes options of the fields."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from gsmooth_jax.cli.given import FoundNetwork
    from gsmooth_jax.methods.base import Guarantee


@dataclasses.dataclass(frozen=True)
class Terms:
    """Which claim, and how it is tested."""

    transform: str = "rotational_blur|clip|quantize"
    """what the adversary applies, as `gsmooth transforms` lists it; several, one after the other, are joined by bars:
    "rotation|clip|quantize" is a rotation as an 8-bit file holds it."""
    region: tuple[float, ...] | None = None
    """LOW HIGH for each parameter, in its unit: "-10 10" of a rotation are degrees, "-0.2 0.2 -0.1 0.1" of
    brightness_contrast a log factor and an intensity in [0, 1]; the region of the published tables if left out."""
    ball: float | None = None
    """instead of a box, all parameters of at most this L2 norm, in the unit of the parameters."""
    l1: float | None = None
    """the same in the L1 norm."""
    linf: float | None = None
    """the same in the L-infinity norm; of the transform additive, a change of every pixel by so much."""
    law: str | None = None
    """smoothing noise, as `gsmooth laws` lists it: a law of the parameter, in its unit, such as "gaussian(sigma=0.5)",
    or one for each stage of a composition, as in "rayleigh|gaussian(sigma=0.6)"; for the method cover
    "pixel_noise(sigma=0.25)", where 1 is the range of intensities, or "surrogate_noise(path='runs/surrogate',
    sigma_parameter=2.0, sigma=0.15)", which the method gsmooth takes too; the one that the checkpoint was trained with
    if left out."""
    method: str = "auto"
    """as `gsmooth methods` lists it; auto takes the one made for the transform and the law."""
    alpha: float = 1e-3
    """a claim is false with at most this probability, over its own random draws; 0.001 is one in a thousand."""
    test: Literal["sequential", "fixed", "fixed_two_sided"] = "sequential"
    """sequential stops when sure; fixed spends max-votes on every image; fixed_two_sided also bounds the runner-up."""
    selection_votes: int = 32
    """draws that choose an image's class, at most: eight that agree are enough."""
    max_votes: int = 10_000
    """most draws that test one image; an image that is still undecided then is not certified."""
    block: int = 0
    """votes between two looks of the sequential test; 0: as the method has it."""
    seed: int = 0
    """of all draws: the same seed finds the same votes."""

    @property
    def adversary(self) -> Any:
        """The transform; raises ValueError for a text that names none."""
        from gsmooth_jax import transforms

        return transforms.parse(self.transform)

    def guarantee(self, network: "FoundNetwork", shape: Callable[[], tuple[int, ...] | None]) -> "Guarantee":
        """The claim that is wanted of every image.

        Args:
          network: says under what law or noise it was trained, if none is named.
          shape: asked for that of the inputs, where the region has a parameter for each of their entries.

        Raises:
          ValueError: terms that do not fit one another.
        """
        from gsmooth_jax.methods import registry

        adversary = self.adversary
        return registry.guarantee(
            transform=adversary,
            region=read_region(adversary, shape, box=self.region, l1=self.l1, l2=self.ball, linf=self.linf),
            method=network.method(self.method, self.law, adversary),
            alpha=self.alpha,
            test=self.test,
            selection_votes=self.selection_votes,
            max_votes=self.max_votes,
            block=self.block,
            seed=self.seed,
        )


def read_region(
    transform: Any,
    shape: Callable[[], tuple[int, ...] | None],
    *,
    box: tuple[float, ...] | None,
    l1: float | None,
    l2: float | None,
    linf: float | None,
) -> Any:
    """The region that --region, --ball, --l1 or --linf describe; the one of the published tables if none of them does.

    Where a transform has a parameter for each entry of an input, the inputs' shape is asked for.
    """
    from gsmooth_jax.regions import NORMS, Ball, Box
    from gsmooth_jax.types import param_dim

    params = len(transform.params)
    if not params:
        raise ValueError(
            f"{transform.name} has no parameter to certify against: put it behind another, as in rotation|clip."
        )
    named = {p: radius for p, radius in zip(NORMS, (l1, l2, linf), strict=True) if radius is not None}
    if len(named) + (box is not None) > 1:
        raise ValueError("Expected one of --region, --ball, --l1 and --linf, got several.")
    for p, radius in named.items():
        each = any(q.per_pixel for q in transform.params)
        return Ball(radius, param_dim(transform, shape() or ()) if each else params, p)
    if box is None:
        return Box(*zip(*transform.typical, strict=True))
    if len(box) != 2 * params:
        raise ValueError(f"Expected --region LOW HIGH for each of the {params} parameters, got {len(box)} numbers.")
    return Box(box[::2], box[1::2])
