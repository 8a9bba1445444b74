"""Transforms with finitely many values, without smoothing: the classifier is asked at every value of the region.

Whole-pixel translation, pixelation: T takes finitely many values in the region, one on each of the cells that
``representatives`` stands for. If the classifier itself answers c at every one of them, it does so for every xi of the
region (THEORY B2). Nothing is drawn, and alpha is 0: what is claimed is what this machine's program computes. (VeriVis,
Pei et al. 2017: the enumeration column of GSmooth's Table 1.) Host, but for the forward passes.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.claims import Answer, Hypothesis, Ledger, Status
from gsmooth_jax.methods.arguments import check_range
from gsmooth_jax.methods.base import Conclusion, Evidence, Found, Guarantee, Inquiry, Takes, Tests, check_classes
from gsmooth_jax.methods.coverage import answered, covered
from gsmooth_jax.regions import Ball, Box
from gsmooth_jax.transforms import stages_of
from gsmooth_jax.types import Example, FiniteValued, Region, Transform, Vote

_BATCH = 64
"""Values a device call; the last batch is padded, so that nothing recompiles."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Enumerate:
    """The method; see the module."""

    computes: ClassVar[bool] = True
    takes: ClassVar[Takes] = "nothing"
    picks: ClassVar[bool] = False
    block: ClassVar[int] = 1

    @property
    def status(self) -> Status:
        """How rigorous its claims are."""
        return "proved"

    @property
    def name(self) -> str:
        """The name for ``--method``."""
        return "enumerate"

    @property
    def law(self) -> str:
        """None."""
        return ""

    @property
    def parts(self) -> tuple[object, ...]:
        """None."""
        return ()

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless one stage lists its values and no other has parameters."""
        if finite_stage(transform) is None:
            raise ValueError(
                f"enumerate takes one stage that lists its values, such as pixelate or translation, and others without "
                f"parameters; got {transform.name}."
            )
        count = len(transform.params)
        if not (isinstance(region, Box) and len(region.low) == count) and not (
            isinstance(region, Ball) and region.dim == count
        ):
            raise ValueError(f"enumerate takes a box or ball of {count} parameters for {transform.name}, got {region}.")
        check_range(transform, *_ends(region, count))

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier."""
        check_classes(self.name, model)

    def vote(self, transform: Transform) -> Vote | None:
        """Nothing is drawn."""
        del transform
        return None

    def check_budget(self, guarantee: Guarantee) -> None:
        """There is none."""

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take."""
        del example
        del guarantee
        return "Every value of the transform in the region is tried on the classifier itself; no draws, alpha 0."

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """Nothing is left to chance."""
        del guarantee
        return (("values", 0.0),)

    def pilots(self, guarantee: Guarantee) -> int:
        """None."""
        del guarantee
        return 0

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Asks the classifier at the image itself, which says what is claimed, then at every value."""
        transform, region = guarantee.transform, guarantee.region
        values, lows, highs = cells(transform, region, example.image.shape)
        (top,) = _answers(model, example.image, np.zeros((1, len(transform.params))), transform)
        found: list[Hypothesis] = []
        if example.label not in (None, top):  # a proof that the answer is wrong everywhere would count for nothing
            mine = [i for i, (a, b) in enumerate(zip(lows, highs, strict=True)) if (a <= 0).all() and (b >= 0).all()]
            values, lows, highs = values[mine], lows[mine], highs[mine]
        for start in range(0, len(values), _BATCH):
            part = slice(start, start + _BATCH)
            answers = _answers(model, example.image, values[part], transform)
            for number, (answer, a, b) in enumerate(
                zip(answers, lows[part].tolist(), highs[part].tolist(), strict=True)
            ):
                same = int(answer == top)
                found.append(Hypothesis(tuple(a), tuple(b), 0.5, start + number, 0.0, int(top), False, same, 1))
            if not all(tests.decide(h) == "certified" for h in found):
                break
        return Found(found)
        yield  # asks for no votes

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether the values with the claimed answer make up the region. Answers are as recorded."""
        return concluded(evidence, guarantee)


def concluded(evidence: Evidence, guarantee: Guarantee) -> Conclusion:
    """Says what cells prove on which the answer was computed, not drawn: all about one class, at 1/2 and level 0."""
    region, found = guarantee.region, evidence.hypotheses
    events = {h.event for h in found}
    if len(events) > 1 or any(h.event < 0 or (h.threshold, h.level) != (0.5, 0.0) or not h.low for h in found):
        return Conclusion(None, False, 0.0, ("hypotheses: of several events, or with a level or threshold",))
    certified = covered(evidence.passed, region)
    answer = Answer(*events) if answered(evidence.passed, region) else None
    return Conclusion(answer, certified, region.size if certified else 0.0)


def cells(
    transform: Transform, region: Region, image_shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns a transform's values in a region: parameters [M, P], and the corners [M, P] of the cells they stand for.

    Of one parameter a cell's ends are drawn half way to its neighbours'; of several, which are whole numbers, a cell is
    what rounds to them. Cells that a ball does not meet are left out.
    """
    stage, count = finite_stage(transform), len(transform.params)
    assert stage is not None
    low, high = _ends(region, count)
    if count == 1:
        # The image itself, at 0, is the first value from there on.
        ends = [low, *([np.zeros(1)] if low[0] < 0.0 < high[0] else []), high]
        parts = [_row(stage, image_shape, a, b) for a, b in itertools.pairwise(ends)]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # pyright: ignore[reportReturnType]
    points = np.stack(
        np.meshgrid(
            *(np.arange(np.floor(a + 0.5), np.floor(b + 0.5) + 1) for a, b in zip(low, high, strict=True)),
            indexing="ij",
        ),
        axis=-1,
    ).reshape(-1, count)
    lows, highs = (points - 0.5).clip(low, high), (points + 0.5).clip(low, high)
    if isinstance(region, Ball):
        nearest = region.norms(np.maximum(np.maximum(lows, -highs), 0.0))
        kept = nearest <= region.radius
        points, lows, highs = points[kept], lows[kept], highs[kept]
    return points, lows, highs


def _row(
    stage: FiniteValued, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points = stage.representatives(image_shape, low, high)  # pyright: ignore[reportArgumentType]
    edges = np.concatenate([low[None], 0.5 * (points[:-1] + points[1:]), high[None]])
    return points, edges[:-1], edges[1:]


def _ends(region: Region, count: int) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(region, Box):
        return np.array(region.low), np.array(region.high)
    return np.full(count, -region.size), np.full(count, region.size)


def finite_stage(transform: Transform) -> FiniteValued | None:
    """Returns the stage that lists its values, if no other stage has parameters."""
    stages = stages_of(transform)
    moving = [s for s in stages if s.params]
    return moving[0] if len(moving) == 1 and isinstance(moving[0], FiniteValued) else None


def _answers(model: Any, image: np.ndarray, values: np.ndarray, transform: Transform) -> np.ndarray:
    """The classes [M] of M <= _BATCH transformed images; K where the logits are not finite."""
    padded = np.pad(values, ((0, _BATCH - len(values)), (0, 0)), mode="edge").astype(np.float32)
    return np.asarray(_answers_kernel(model, image, padded, transform=transform))[: len(values)]


@functools.partial(jax.jit, static_argnames=("transform",))
def _answers_kernel(
    model: Callable[[jax.Array], jax.Array], image: jax.Array, values: jax.Array, *, transform: Transform
) -> jax.Array:
    logits = model(jax.vmap(transform, in_axes=(None, 0))(image, values))
    return jnp.where(jnp.isfinite(logits).all(axis=-1), jnp.argmax(logits, axis=-1), logits.shape[-1])
