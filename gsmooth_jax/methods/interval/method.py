"""Interval bound propagation, without smoothing: boxes of entries are pushed through the classifier. Host.

HYPOTHESES. Each is about one closed cell of the region: the classifier itself answers c at T(xi, x) for every xi of the
cell. Nothing is drawn, and alpha is 0: what is claimed is what this machine's program computes.

FORMULA. ``images`` bounds every entry of the cell's images, from the middle one and the speed of each entry; of a
transform with finitely many values they are the hull of those in the cell. ``propagate`` bounds what the classifier
makes of such a box, every operation rounded outward. A hypothesis holds where the logit of c then exceeds every other.
A cell on which it fails is halved across its widest side; the region is proved when the cells that hold make it up.

DIFFERENCES from interval bound propagation (Gowal et al., ICCV 2019) and from the Interval column of GSmooth's Table 1:
the bounds are proved for float32 arithmetic; entries by speeds instead of interval arithmetic on the transformation;
cells as small as a budget allows instead of a fixed grid.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax.claims import Hypothesis, Ledger, Status
from gsmooth_jax.methods import enumerate as enumeration
from gsmooth_jax.methods.arguments import check_box
from gsmooth_jax.methods.base import Conclusion, Evidence, Found, Guarantee, Inquiry, Takes, Tests, check_classes
from gsmooth_jax.methods.interval.images import float32_error, hull, image_bounds
from gsmooth_jax.methods.interval.propagate import margins
from gsmooth_jax.regions import Box
from gsmooth_jax.types import Example, Region, Transform, Vote

_FEW, _BATCH = 4, 64
"""Cells a device call: the smaller number where few are open, padded, so that nothing recompiles."""

_Cell = tuple[np.ndarray, np.ndarray]
"""Lower and upper corner, each [P]."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class IntervalBounds:
    """The method; see the module. ``Guarantee.max_votes`` bounds how many cells of an image are tried.

    Cells smaller than that share of the region are not tried either.
    """

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
        return "interval"

    @property
    def law(self) -> str:
        """None."""
        return ""

    @property
    def parts(self) -> tuple[object, ...]:
        """None."""
        return ()

    def check(self, transform: Transform, region: Region) -> None:
        """Raises ValueError unless the entries of transformed images have bounds over boxes."""
        count = len(transform.params)
        if count == 0 or any(p.per_pixel for p in transform.params):
            raise ValueError(f"interval takes parameters of the whole image; {transform.name} has others, or none.")
        check_box("interval", transform, region)
        assert isinstance(region, Box)
        float32_error(transform, np.zeros((8, 8, 3), np.float32), np.array(region.low), np.array(region.high))
        image, point = jax.ShapeDtypeStruct((8, 8, 3), np.float32), jax.ShapeDtypeStruct((count,), np.float32)
        if enumeration.finite_stage(transform) is None:
            jax.eval_shape(functools.partial(image_bounds, transform, error=0.0), image, point, point)
        else:
            values = jax.ShapeDtypeStruct((1, count), np.float32), jax.ShapeDtypeStruct((1,), np.bool_)
            jax.eval_shape(functools.partial(hull, transform, error=0.0), image, *values)

    def check_model(self, model: Any) -> None:
        """Raises ValueError unless it is a classifier made of primitives that intervals have rules for."""
        check_classes(self.name, model)
        images = jax.ShapeDtypeStruct((1, *model.input_shape), np.float32)
        jax.eval_shape(functools.partial(margins, model, label=0), images, images)

    def vote(self, transform: Transform) -> Vote | None:
        """Nothing is drawn."""
        del transform
        return None

    def check_budget(self, guarantee: Guarantee) -> None:
        """Any number of cells may do."""

    def requirement(self, guarantee: Guarantee, example: Example | None = None) -> str:
        """Says what a claim will take."""
        del example
        return (
            "Cells of the region are halved until interval bounds prove the classifier's own answer in each; no draws, "
            f"alpha 0, at most {guarantee.max_votes:,} cells an image."
        )

    def ledger(self, guarantee: Guarantee) -> Ledger:
        """Nothing is left to chance."""
        del guarantee
        return (("cells", 0.0),)

    def pilots(self, guarantee: Guarantee) -> int:
        """None."""
        del guarantee
        return 0

    def hypotheses(self, example: Example, model: Any, guarantee: Guarantee, tests: Tests) -> Inquiry:
        """Asks the classifier at the image itself, which says what is claimed, then bounds it on cells.

        First on the image alone: where that fails, nothing else is tried. Of the open cells the smallest come first, so
        that a region that cannot be proved is given up early.
        """
        del tests
        region, budget = guarantee.region, guarantee.max_votes
        assert isinstance(region, Box)
        bounds = _Bounds(model, example.image, guarantee.transform, region)
        if bounds.top == model.classes:
            return Found((), "its logits are not finite")
        identity = np.zeros(len(region.low))
        itself = _hypothesis((identity, identity), 0, bounds.top)  # as computed: there is nothing to bound
        if example.label not in (None, bounds.top):  # a proof of a wrong answer would count for nothing
            return Found((itself,))
        if not all(bounds.hold([(identity, identity)])):
            return Found((itself,), "bounds do not prove even the image itself")
        found, tried, open_cells = [], 0, [(np.array(region.low), np.array(region.high))]
        while open_cells:
            count = min(_BATCH, budget - tried)
            cells, open_cells = open_cells[-count:], open_cells[:-count]
            tried += len(cells)
            for (low, high), proved in zip(cells, bounds.hold(cells), strict=True):
                if proved:
                    found.append((low, high))
                    continue
                cut = bounds.cut(low, high)
                if cut is None or bounds.share(low, high) * budget < 1.0:
                    where = " x ".join(f"[{a:g}, {b:g}]" for a, b in zip(low, high, strict=True))
                    return Found((itself,), f"not proved on {where}")
                axis, at = cut
                lower_part, upper_part = high.copy(), low.copy()
                lower_part[axis] = upper_part[axis] = at
                open_cells += [(upper_part, high), (low, lower_part)]
            if open_cells and tried >= budget:
                return Found((itself,), f"not proved with {budget:,} cells")
        return Found([_hypothesis(cell, number, bounds.top) for number, cell in enumerate(found)])
        yield  # asks for no votes

    def concludes(self, evidence: Evidence, guarantee: Guarantee) -> Conclusion:
        """Says whether the cells that hold make up the region. What was computed of them is as recorded."""
        return enumeration.concluded(evidence, guarantee)


def _hypothesis(cell: _Cell, number: int, answer: int) -> Hypothesis:
    """One that holds."""
    low, high = (tuple(end.tolist()) for end in cell)
    return Hypothesis(low, high, 0.5, number, 0.0, answer, successes=1, votes=1)


class _Bounds:
    """What is proved of the classifier on cells of one image's region, and how these are cut.

    Attributes:
      top: the classifier's answer for the image itself; K where its logits are not finite.
    """

    def __init__(self, model: Any, image: np.ndarray, transform: Transform, region: Box):
        self._low, self._high = np.array(region.low), np.array(region.high)
        self._values = None
        if enumeration.finite_stage(transform) is not None:
            self._values = enumeration.cells(transform, region, image.shape)
        self._kernel = functools.partial(
            _box_kernel if self._values is None else _value_kernel, model, image, transform=transform
        )
        self._error = np.float32(float32_error(transform, image, self._low, self._high) * (1.0 + 1e-6))
        identity = np.zeros(len(self._low), np.float32)
        self.top = int(_answer_kernel(model, image, identity, transform=transform))

    def hold(self, cells: list[_Cell]) -> list[bool]:
        """Says of at most ``_BATCH`` cells whether ``top`` is proved to be the answer there."""
        count = len(cells)
        padded = np.minimum(np.arange(_FEW if count <= _FEW else _BATCH), count - 1)
        low, high = (np.stack([cell[end] for cell in cells])[padded] for end in (0, 1))
        if self._values is None:
            corners = low.astype(np.float32), high.astype(np.float32)
            margins = self._kernel(*corners, error=self._error, label=self.top)
        else:
            values = self._values[0].astype(np.float32)
            margins = self._kernel(values, self._inside(low, high), error=self._error, label=self.top)
        return (np.asarray(margins)[:count] > 0.0).tolist()

    def cut(self, low: np.ndarray, high: np.ndarray) -> tuple[int, float] | None:
        """The axis of a cell's widest side and where to halve it; None for a point, or a single value."""
        if self._values is None:
            axis = int(np.argmax(self._sides(low, high)))
            middle = 0.5 * (low[axis] + high[axis])
            return (axis, float(middle)) if low[axis] < middle < high[axis] else None
        _, lows, _ = self._values
        within = self._inside(low[None], high[None])[0]
        edges = [np.unique(a[within & (a > c) & (a < d)]) for a, c, d in zip(lows.T, low, high, strict=True)]
        axis = int(np.argmax([len(e) for e in edges]))
        return (axis, float(edges[axis][len(edges[axis]) // 2])) if len(edges[axis]) else None

    def share(self, low: np.ndarray, high: np.ndarray) -> float:
        """Of the region, the share that a cell has."""
        return float(np.prod(self._sides(low, high)[self._high > self._low]))

    def _sides(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return (high - low) / np.where(self._high > self._low, self._high - self._low, np.inf)

    def _inside(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """[N, M]: which values cells [N, P] stand for."""
        assert self._values is not None
        _, lows, highs = self._values
        low, high = low[:, None], high[:, None]
        meets = np.where(high > low, (lows < high) & (highs > low), (lows <= high) & (highs >= low))
        return np.all(meets, axis=2)


@functools.partial(jax.jit, static_argnames=("transform",))
def _answer_kernel(
    model: Callable[[jax.Array], jax.Array], image: jax.Array, identity: jax.Array, *, transform: Transform
) -> jax.Array:
    (logits,) = model(transform(image, identity)[None])
    return jnp.where(jnp.isfinite(logits).all(), jnp.argmax(logits), len(logits))


@functools.partial(jax.jit, static_argnames=("transform",))
def _box_kernel(
    model: Callable[[jax.Array], jax.Array],
    image: jax.Array,
    low: jax.Array,
    high: jax.Array,
    error: jax.Array,
    label: jax.Array,
    *,
    transform: Transform,
) -> jax.Array:
    """Bounds from below [N] the label's margin on cells [N, P]."""
    entries = jax.vmap(functools.partial(image_bounds, transform, image, error=error))(low, high)
    return margins(model, entries.lower, entries.upper, label)


@functools.partial(jax.jit, static_argnames=("transform",))
def _value_kernel(
    model: Callable[[jax.Array], jax.Array],
    image: jax.Array,
    values: jax.Array,
    inside: jax.Array,
    error: jax.Array,
    label: jax.Array,
    *,
    transform: Transform,
) -> jax.Array:
    """The same on cells that each stand for some [N, M] of the values [M, P]."""
    entries = jax.vmap(functools.partial(hull, transform, image, values, error=error))(inside)
    return margins(model, entries.lower, entries.upper, label)
