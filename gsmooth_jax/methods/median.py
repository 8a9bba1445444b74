"""One real number, smoothed by its median: an interval that holds it in the whole region.

Let g(u) be the median of f(H(u + z)), z ~ N(0, S), for any function f of an image, such as a network's confidence. If
P(f >= a) > Phi(D) at a latent u, then P(f >= a) > 1/2 at every latent within D of it, and there g >= a; so for f <= b
(THEORY I2; Chiang et al. 2020, Lemma 1, with the latent metric of THEORY D1). "f >= a" and "f <= b" are events as a
class is one: pilot draws choose a and b among thresholds that are fixed for the run, and then every part of ``cover``
tests both, on the same votes. A false claim has a part in which one of the two is false: alpha is not divided by two
(THEORY F3, F9; Berger 1982).

Differences from the paper: no order statistics of one centre's draws, since the interval has to hold over a region; any
transform that ``cover`` takes instead of an L2 ball; sequential tests. Host.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate, pytrees
from gsmooth_jax.claims import Interval, Ledger, Status
from gsmooth_jax.estimation.votes import outputs
from gsmooth_jax.methods.arguments import check_noise
from gsmooth_jax.methods.base import Conclusion, Evidence, Guarantee, Inquiry, Takes, Tests
from gsmooth_jax.methods.cover import method as cover
from gsmooth_jax.models import Classifier
from gsmooth_jax.models.regressor import Regressor
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import describe
from gsmooth_jax.surrogate import SurrogateNoise, loaded
from gsmooth_jax.types import Example, LatentNoise, Noise, Region, Transform

_CLEAR = 0.85
"""Share of the selection draws at every point that an end of the interval leaves inside: a wider interval takes fewer
votes, since its events are surer, and a narrower one says more."""


@pytrees.register
@dataclasses.dataclass(frozen=True, kw_only=True)
class NumberVote:
    """The events "the number is at least t_j", then "it is at most t_j", then "it is not finite": 2 J + 1.

    Attributes:
      noise: draws the image to evaluate from a centre.
      thresholds: [J], ascending; traced.
      output: which of a classifier's probabilities is the number; None for a model that returns numbers.
    """

    noise: Noise
    thresholds: Any
    output: int | None = dataclasses.field(default=None, metadata={"static": True})

    def __call__(self, model: Callable[[jax.Array], jax.Array], keys: jax.Array, centres: jax.Array) -> jax.Array:
        """See ``types.Vote``: [S, N, 2 J + 1]."""
        numbers = outputs(model, self.noise, keys, centres)
        if self.output is not None:
            numbers = jax.nn.softmax(numbers, axis=-1)[..., self.output]
        finite, numbers = jnp.isfinite(numbers)[..., None], numbers[..., None]
        levels = jnp.asarray(self.thresholds, jnp.float32)[None, None, :]
        return jnp.concatenate([finite & (numbers >= levels), finite & (numbers <= levels), ~finite], axis=-1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Median:
    """The method; see the module.

    Attributes:
      noise: Gaussian noise of the latent, the same for every image.
      low: the least threshold.
      high: the largest.
      steps: the thresholds divide [low, high] into so many steps; an interval ends at one of them, or nowhere.
      output: the number is this class's probability; None: it is the model's output itself.
    """

    noise: LatentNoise | SurrogateNoise
    low: float = 0.0
    high: float = 1.0
    steps: int = 50
    output: int | None = None

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "latent"
    picks: ClassVar[bool] = False
    block: ClassVar[int] = 1

    def __post_init__(self):
        check_noise(noise=self.noise)
        _validate.at_least(1, steps=self.steps)
        _validate.kind(int | float, "a number", low=self.low, high=self.high)
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"Expected finite low < high, got low={self.low!r}, high={self.high!r}.")
        if self.output is not None:
            _validate.at_least(0, output=self.output)

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "proved"

    @property
    def name(self) -> str:
        """The text for ``--method``."""
        shown = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name != "noise"}
        return f"median({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    @property
    def law(self) -> str:
        """The text that ``registry.parse`` reads back."""
        return describe(self.noise)

    @property
    def parts(self) -> tuple[object, ...]:
        """The noise."""
        return (self.noise,)

    @property
    def thresholds(self) -> np.ndarray:
        """[J] float32, ascending: what the device compares with."""
        return np.linspace(self.low, self.high, self.steps + 1).astype(np.float32)

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless parts can be laid out for this transform and region."""
        cover.check_parts("median", transform, region)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless the model has the number, or where a surrogate is of other images."""
        cover.check_surrogate(self.noise, model)
        if isinstance(model, Regressor) and self.output is not None:
            raise ValueError(f"Expected output=None for a model that returns numbers, got output={self.output}.")
        if isinstance(model, Classifier) and (self.output is None or self.output >= model.classes):
            raise ValueError(
                f"Expected output in 0..{model.classes - 1}: which class's probability is the number; "
                f"got output={self.output}."
            )

    def vote(self, transform: Transform) -> NumberVote:
        """The number at noisy latents, whatever the transform."""
        del transform
        return NumberVote(noise=loaded(self.noise), thresholds=self.thresholds, output=self.output)

    def check_budget(self, guarantee: Guarantee) -> None:
        """Raises ValueError for a test other than ``sequential``, or a budget that does not even test one part."""
        cover.check_part_budget("median", guarantee)

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take; raises as ``cover.required``."""
        return cover.required("median", loaded(self.noise), guarantee, example)

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """All of alpha goes to the parts, and both ends of the interval are tested at all of it."""
        return cover.ledger(guarantee)

    def pilots(self, guarantee: Guarantee) -> int:
        """The image itself, and points of the region."""
        assert isinstance(guarantee.region, Box)
        return len(_points(guarantee.region))

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Draws at a few points choose the interval, then every part of the region is tested."""
        del model, tests
        draws, region = guarantee.selection_votes, guarantee.region
        assert isinstance(region, Box)

        def choose(selections: list[np.ndarray]) -> cover.Choice:
            return self._narrowest(np.min(selections, axis=0) >= _CLEAR * draws)

        return (yield from cover.inquire(example, loaded(self.noise), guarantee, _points(region), choose))

    def _narrowest(self, clear: np.ndarray) -> cover.Choice:
        """The narrowest interval of events [E] that are clear at all pilot points; it may lack an end, or both."""
        count = self.steps + 1
        above, below = np.flatnonzero(clear[:count]), np.flatnonzero(clear[count : 2 * count])
        events = [*above[-1:].tolist(), *(below[:1] + count).tolist()]
        return cover.Choice(tuple(events))

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether the parts that have passed cover the region, and the image itself."""
        count = self.steps + 1
        events = tuple(sorted({h.event for h in evidence.windows}))
        lower, upper = [e for e in events if 0 <= e < count], [e - count for e in events if count <= e < 2 * count]
        if not events:
            return Conclusion(None, False, 0.0)
        if len(lower) > 1 or len(upper) > 1 or len(lower) + len(upper) < len(events):
            return Conclusion(None, False, 0.0, ("windows: of more events than the two ends of an interval",))

        def interval(*_: int) -> Interval:
            ends = self.thresholds.astype(float).tolist()
            return Interval(ends[lower[0]] if lower else -math.inf, ends[upper[0]] if upper else math.inf)

        return cover.conclude(evidence, guarantee, events, interval)


def _points(region: Box) -> np.ndarray:
    """[M, P]: where the interval is chosen: the image itself, then the corners."""
    corners = region.corners()
    return np.concatenate([np.zeros((1, corners.shape[1])), corners[(corners != 0.0).any(axis=1)]])
