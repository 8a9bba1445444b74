"""EoT-PGD: projected gradient ascent on the parameter, the gradient averaged over smoothing draws.

Expectation over transformation: Athalye et al. 2018. The loss -log(mean softmax) is that of Salman et al. 2019, whose
mean is a smooth stand-in for the smoothed classifier's probability. GSmooth (Hao et al. 2022), Appendix C, attacks its
classifiers in this way.
"""

import dataclasses
from typing import ClassVar

import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.attacks.kernels import ascent_kernel
from gsmooth_jax.attacks.target import Space, Target
from gsmooth_jax.estimation import _threefry, keys
from gsmooth_jax.transforms import Composition, Quantize, stages_of
from gsmooth_jax.types import FiniteValued, Transform

_AT_ONCE = 8
"""Climbs side by side: memory grows with this times the draws."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EotPgd:
    """Climbs from uniform draws of the region; each climb's end is a candidate.

    A step is the steepest one in the region's own norm: the gradient's sign times half the width of each parameter in a
    box, the normalised gradient times the radius in a ball, its largest entry alone in a ball of L1. So no unit
    matters. Steps shrink linearly to nothing, which averages the draws' randomness out. Roundings to file levels have
    no gradient: the climb looks through them, as if they were not there, and the candidates are then tried with them.
    Where the gradient is 0 a climb stays at its uniform draw.

    Attributes:
      tries: climbs.
      steps: of each climb.
      draws: smoothing draws that a gradient is averaged over.
      first: the first step, as a share of half the region's width.
    """

    name: ClassVar[str] = "eot-pgd"
    climbs: ClassVar[bool] = True

    tries: int = 8
    steps: int = 20
    draws: int = 16
    first: float = 0.5

    def __post_init__(self):
        _validate.at_least(1, tries=self.tries, steps=self.steps, draws=self.draws)
        _validate.positive(first=self.first)

    def check(self, transform: Transform, space: Space, image_shape: tuple[int, ...]) -> None:
        """Raises ValueError if a stage is piecewise constant in its parameter: there is nothing to climb."""
        for stage in stages_of(transform):
            if isinstance(stage, FiniteValued) or any(p.whole for p in stage.params):
                raise ValueError(
                    f"eot-pgd needs a gradient and {stage.name} has finitely many values, so none; use grid, which "
                    f"lists them, or random."
                )

    def propose(self, target: Target) -> np.ndarray:
        """Returns the ends [tries, P] float32 of the climbs. Device inside; waits for it."""
        space, together = target.space, min(self.tries, _AT_ONCE)
        random = np.random.default_rng((target.seed, target.image_id, keys.PROPOSE))
        starts = space.uniform(random, self.tries)
        run_key = _threefry.key(target.seed)
        ends = []
        for first in range(0, self.tries, together):
            # The last group is filled up with climbs that are dropped again: fixed shapes, no recompilation.
            numbers = np.arange(first, first + together)
            xi = jnp.asarray(starts[np.minimum(numbers, self.tries - 1)])
            for count in range(self.steps):
                xi = ascent_kernel(
                    target.classifier,
                    target.noise,
                    run_key,
                    target.image,
                    np.uint32(target.image_id),
                    numbers.astype(np.uint32),
                    np.int32(count),
                    np.int32(target.events[0]),
                    xi,
                    space.low.astype(np.float32),
                    space.high.astype(np.float32),
                    None if space.ball is None else np.float32(space.ball.radius),
                    np.float32(self.first * (1.0 - count / self.steps)),
                    transform=_smooth(target.transform),
                    norm=None if space.ball is None else space.ball.p,
                    draws=self.draws,
                )
            ends.append(np.asarray(xi))
        return space.inside(np.concatenate(ends)[: self.tries])


def _smooth(transform: Transform) -> Transform:
    """The transform without its roundings."""
    kept = tuple(s for s in stages_of(transform) if not isinstance(s, Quantize))
    return kept[0] if len(kept) == 1 else Composition(kept)
