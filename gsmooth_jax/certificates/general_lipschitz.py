"""General Lipschitz: a sampled bound on how fast a class's probability moves along a path of parameters, corrected."""

import dataclasses
import functools
import itertools
from typing import Any, ClassVar

import numpy as np

from gsmooth_jax import _spec
from gsmooth_jax.certificates import _rescaled, _shifts, composition
from gsmooth_jax.claims import Status
from gsmooth_jax.regions import Box
from gsmooth_jax.smoothing import Product
from gsmooth_jax.smoothing._host import settle
from gsmooth_jax.transforms import _group, stages_of
from gsmooth_jax.types import Region, Transform

_SAMPLES = 20_000
_AN_AXIS = {1: 35, 2: 35}
_AN_AXIS_BEYOND = 5
_NODES = 9  # along a path


@dataclasses.dataclass(frozen=True)
class GeneralLipschitz:
    """The bound of Korzh et al. 2024 (General Lipschitz), integrated as their theorem says. Not proved: heuristic.

    Along the straight line from the identity to a parameter b, a test of attacked probability h gains probability at
    the rate psi_t(h) at most, the mean of the score d log p_(tb) / dt over its largest values, of probability h,
    times h. With psi_t(h) <= p(h) g(t), A wins at b if

        G(b) = int_0^1 g(t) dt < int dh / p(h) from 1 - p_lower to 1 / 2,

    and with p_upper if both classes' levels, so moved, leave something between them (THEORY H1). Here g(t) =
    psi_t(1/2), and p(h) is the largest psi_t(h) / g(t) that was seen.

    Why it proves nothing: psi is estimated from 20,000 draws, with no bound on its error; p and G are maxima over the
    boundary of a grid, 35 points an axis (5 from three parameters on), and not over the region (THEORY H2). The same
    draws are used everywhere, from one seed, so ``verify`` finds the same. ``composition`` is exact, and asks for less.

    Differences from the published code, which weighs psi by its place on the path once too often and so certifies
    what is false: for brightness within one standard deviation it asks for p_A = .6915, and the truth is .8413.

    Attributes:
      transform: what it speaks of; None before it is built for one.
    """

    transform: Transform | None = dataclasses.field(default=None, metadata=_spec.ELSEWHERE)

    name: ClassVar[str] = "general_lipschitz"
    status: ClassVar[Status] = "heuristic"

    def check(self, transform: Transform, law: Any, region: Region) -> None:
        """As ``composition``, and for one transform alone."""
        if transform.group == "composition" or transform != self.transform:
            composition.Composition(transform=self.transform).check(transform, law, region)
            return
        if transform.group == "none" or not _group.known(stages_of(transform)):
            raise ValueError(
                f"general_lipschitz needs a composition law that it knows, and has none of {transform.name}."
            )
        _shifts.check_shifts("general_lipschitz", transform, law, region)
        composition.roles(transform, _product(law))

    @property
    def exact(self) -> composition.Composition | None:
        """The theorem that asks for the p_A that is needed; None for one transform, which has one of its own."""
        several = self.transform is not None and self.transform.group == "composition"
        return composition.Composition(transform=self.transform) if several else None

    def certifies(self, law: Any, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether the sampled bound leaves class A ahead on the whole grid. Host; some seconds for a region."""
        settled = settle(p_lower, p_upper)
        if self.transform is None:
            raise ValueError("Expected the certificate general_lipschitz of a transform, got one of none.")
        box = _shifts.bounding_box(region)
        # One set of draws serves all sizes up to the next power of two: G grows along each path.
        exponent = int(np.ceil(np.log2(box.size)))
        unit = Box(*(tuple(float(f"{v / box.size:.9g}") for v in ends) for ends in (box.low, box.high)))
        paths = _paths(self.transform, _product(law), unit, exponent)
        return settled is not None and paths.ahead(box.size / 2.0**exponent, *settled)


@dataclasses.dataclass(frozen=True, eq=False)
class Paths:
    """What was sampled on the paths to a grid.

    Attributes:
      speeds: [paths, nodes] g at t = 0 ... 1.
      shapes: [nodes, levels] largest psi(h) / g(t) of all paths; the level of column j is h = (j + 1) / levels.
    """

    speeds: np.ndarray
    shapes: np.ndarray

    def ahead(self, share: float, p_lower: float, p_upper: float) -> bool:
        """Whether two classes' levels do not meet when all paths are cut at a share of their lengths."""
        return self.gained(share, 1.0 - p_lower) + self.gained(share, p_upper) < 1.0

    def gained(self, share: float, level: float) -> float:
        """Returns the level that a test of clean probability ``level`` may reach."""
        t = np.linspace(0.0, 1.0, self.speeds.shape[1])
        used = t <= share + (t[1] - t[0])
        shape = self.shapes[used].max(axis=0)
        levels = np.arange(1, len(shape) + 1) / len(shape)
        if level == 0.0:
            return level
        # int dh / p(h), p between two levels as at the upper one.
        way = np.concatenate([[0.0], np.cumsum(np.diff(levels) / shape[1:])])
        steps = 0.5 * (self.speeds[:, 1:] + self.speeds[:, :-1]) * (t[1] - t[0])
        lengths = np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)
        longest = max(np.interp(share, t, length) for length in lengths)
        rare = levels[0] / shape[0]  # below the first level p(h) is the largest score seen, times h
        start = rare * np.log(level / levels[0]) if level < levels[0] else np.interp(level, levels, way)
        reached = float(start + longest)
        if reached < 0.0:
            return float(levels[0] * np.exp(reached / rare))
        return float(np.interp(reached, way, levels)) if reached < way[-1] else 1.0


@functools.lru_cache(maxsize=16)
def _paths(transform: Transform, law: Product, unit: Box, exponent: int) -> Paths:
    points = 2.0**exponent * _boundary(unit)
    draws = np.random.default_rng(0)
    x, y, z = draws.standard_normal((3, _SAMPLES))
    q = draws.exponential(size=_SAMPLES)
    found = composition.roles(transform, law)
    levels = np.arange(1, _SAMPLES + 1) / _SAMPLES
    speeds, shapes = [], np.zeros((_NODES, _SAMPLES))
    for blur, rho, k, beta in np.unique(np.round([_reduced(found, point) for point in points], 12), axis=0):
        speed = []
        for node, t in enumerate(np.linspace(0.0, 1.0, _NODES)):
            score = blur + rho * z + _of_factor(found, t, k, beta, x, y, q)
            tail = np.cumsum(np.sort(score)[::-1]) / _SAMPLES
            speed.append(max(float(tail[_SAMPLES // 2 - 1]), 1e-12))
            shapes[node] = np.maximum(shapes[node], tail / speed[-1])
        speeds.append(speed)
    return Paths(np.array(speeds), np.maximum(shapes, 1e-12 * levels))


def _of_factor(
    found: composition.Roles, t: float, k: float, beta: float, x: np.ndarray, y: np.ndarray, q: np.ndarray
) -> np.ndarray:
    """The score along the path of a factor by k and of what it rescales by beta standard deviations, at t (k, beta).

    Args:
      found: the roles of the parameters.
      t: place on the path.
      k: logarithm of the factor at its end.
      beta: of what is rescaled, there.
      x: standard normal draws of what is rescaled.
      y: of the factor, where it is normal.
      q: exponential draws of it where it is Rayleigh.
    """
    if found.factor is None:
        return beta * x
    _, factor = found.factor
    if found.behind:
        assert isinstance(factor, _rescaled.Normal)
        return k * (y / factor.sigma + 1.0 - x * x) + beta * x * np.exp(t * k)
    if isinstance(factor, _rescaled.Normal):
        u, slope = factor.sigma * y, -y / factor.sigma
    else:
        u, slope = 0.5 * np.log(2.0 * factor.scale**2 * q), 2.0 - 2.0 * q
    return -k * (slope + x * t * beta * np.exp(u)) + beta * x * np.exp(u)


def _reduced(found: composition.Roles, point: np.ndarray) -> tuple[float, float, float, float]:
    """Of an attack [P] the blur, the length of the plain normal shifts, the factor's k, and the rescaled one's beta."""
    blur = sum(point[place] / mean for place, mean in found.blurs)
    rho = float(np.sqrt(sum((point[place] / sigma) ** 2 for place, sigma in found.plain)))
    k = float(point[found.factor[0]]) if found.factor else 0.0
    return float(blur), rho, k, abs(float(point[found.scaled[0]])) / found.scaled[1] if found.scaled else 0.0


def _boundary(box: Box) -> np.ndarray:
    """[M, P]: the points of a grid over a box that lie on its boundary; the longer of two paths decides."""
    count = _AN_AXIS.get(len(box.low), _AN_AXIS_BEYOND)
    axes = [np.unique(np.linspace(low, high, count)) for low, high in zip(box.low, box.high, strict=True)]
    points = np.array(list(itertools.product(*axes)))
    ends = (points == np.array(box.low)) | (points == np.array(box.high))
    wide = np.array(box.low) < np.array(box.high)
    return points[(ends & wide).any(axis=1) & points.any(axis=1)]


def _product(law: Any) -> Product:
    return law if isinstance(law, Product) else Product((law,))
