"""Several transforms one after the other, a law for each, exactly."""

import dataclasses
import functools
import math
from typing import Any, ClassVar

import numpy as np
from scipy import special

from gsmooth_jax import _spec
from gsmooth_jax.certificates import _covering, _joint, _rescaled, _shifts
from gsmooth_jax.smoothing import Exponential, Gaussian, LogNormal, Product, Rayleigh
from gsmooth_jax.smoothing._host import GUARD, settle
from gsmooth_jax.transforms import _group
from gsmooth_jax.types import Region, Smoothing, Transform


@dataclasses.dataclass(frozen=True)
class Composition:
    """Theorem.

    Let stages have a composition law together (THEORY B3) and let each draw its parameters from a law of its own,
    independently: normal for parameters and for logarithms of factors, exponential (mean m) for the variance of a blur,
    Rayleigh for a factor. Let p_lower, p_upper bound the smoothed classifier at x, and write w(xi, s) for the largest
    attacked probability of a test whose clean probability is s. Then A wins at T(x, xi) if

        w(xi, 1 - p_lower) + w(xi, p_upper) < 1,

    and this is exact (Neyman and Pearson). It is (THEORY A9), with rho the length of the shifts of all normal
    parameters that neither rescale nor are rescaled, in standard deviations, k the shift of the factor's logarithm
    (normal with sigma, or Rayleigh), and beta that of what is rescaled, in standard deviations:

    1. a blur by v under an exponential law: w(xi, s) = w'(xi, s e^(v/m)), w' that of the other stages;
    2. nothing rescaled: w(s) = Phi(Phi^-1(s) + rho), with k / sigma in rho; of a Rayleigh factor as 3 with beta = 0;
    3. the factor in front (contrast before brightness, gamma before contrast): given the factor the attack is a normal
       shift of length |(beta e^u, rho)|: one quadrature over the factor;
    4. the factor behind (brightness before contrast): ``brightness_contrast`` with k / sigma joined by rho.

    The region: a box; of a ball, the bounding box. It is certified from finitely many attacks. w does not fall as v,
    as rho or as beta grows: a smaller shift of a normal parameter is the larger one with noise added, and what can be
    told apart with that noise can be told apart without (of 4, beta: THEORY A6). So their largest values in the box are
    the worst, whatever the rest. In k no monotonicity is used: a step d costs a total variation of L |d| at most, so a
    point with 1 - w - w' = 2 m > 0 certifies all |d| < m / L; ``certifies`` covers the box's range of k by such
    intervals, and says no when a point fails or 200 points do not suffice.

    Li et al. 2021 (TSS) certify brightness with contrast in two lossy steps, and blur with translation, brightness and
    contrast by a bound without the change of variance; Korzh et al. 2024 (General Lipschitz) bound 3 by a sampled
    estimate. One-sided is p_upper = 1 - p_lower.

    Attributes:
      transform: the composition that it speaks of; None before it is built for one.
    """

    transform: Transform | None = dataclasses.field(default=None, metadata=_spec.ELSEWHERE)

    name: ClassVar[str] = "composition"

    def check(self, transform: Transform, law: Any, region: Region) -> None:
        """Raises ValueError unless the stages have a law together, each a normal one or so, and the region fits."""
        if transform != self.transform:
            raise ValueError(
                f"Expected the certificate composition of {transform.name}, got one of {self.transform!r}."
            )
        if transform.group != "composition":
            lawless = getattr(transform, "lawless", lambda: "it is one transform.")()
            raise ValueError(f"composition needs stages with a composition law, got {transform.name}: {lawless}")
        pairs = _pairs(transform, law)
        box = _shifts.bounding_box(region)
        if len(box.low) != len(transform.params):
            raise ValueError(
                f"Expected a region of {len(transform.params)} parameters for {transform.name}, got {region}."
            )
        _shifts.check_whole(transform, region, box)
        ends = iter(zip(box.low, box.high, strict=True))
        for stage, one in pairs:
            one.certifies(np.zeros(len(stage.params)), 0.9, 0.1)  # raises for a law of another number of parameters
            for param in stage.params:
                _shifts.check_range(stage, one, param, *next(ends))
        _attack(transform, law, region)

    def certifies(self, law: Any, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether the box is certified. Host, float64, guarded by the quadrature's margin; some 10 ms."""
        settled = settle(p_lower, p_upper)
        attack = _attack(self.transform, law, region)
        return settled is not None and _certified(attack, *settled)

    def radius_estimate(self, law: Any, region: Region, p_lower: float, p_upper: float) -> float:
        """Returns the size whose corners are just certified; nothing about the inside. Host."""
        settled = settle(p_lower, p_upper)
        if settled is None:
            return 0.0
        return _covering.largest(lambda size: _ends(_attack(self.transform, law, region.scaled(size)), *settled))


@dataclasses.dataclass(frozen=True)
class _Attack:
    """The worst of a region, but for the factor's range.

    Attributes:
      blur: the largest v / mean.
      rho: the longest shift of the normal parameters that neither rescale nor are rescaled, in standard deviations.
      factor: the law of the logarithm of the factor; None where there is none.
      low: least k.
      high: largest.
      beta: the largest shift of what is rescaled, in standard deviations.
      behind: whether the factor's stage follows what it rescales.
    """

    blur: float = 0.0
    rho: float = 0.0
    factor: _rescaled.Factor | None = None
    low: float = 0.0
    high: float = 0.0
    beta: float = 0.0
    behind: bool = False


def _pairs(transform: Transform, law: Any) -> list[tuple[Transform, Smoothing]]:
    if not isinstance(law, Product):
        raise ValueError(
            f"Expected a law for each stage of {transform.name}, joined by |, such as "
            f"{'|'.join(['gaussian(sigma=0.5)'] * 2)}, got {law}."
        )
    return law.over(transform)


@dataclasses.dataclass(frozen=True)
class Roles:
    """What each parameter of a composition is to the others, and its law.

    Attributes:
      blurs: place and mean of each variance of a blur.
      plain: place and standard deviation of each normal parameter that neither rescales nor is rescaled.
      factor: place and law of the logarithm of the factor; of one that rescales nothing, where that is not normal.
      scaled: place and standard deviation of what the factor rescales.
      behind: whether the factor's stage follows what it rescales.
    """

    blurs: tuple[tuple[int, float], ...]
    plain: tuple[tuple[int, float], ...]
    factor: tuple[int, _rescaled.Factor] | None
    scaled: tuple[int, float] | None
    behind: bool


@functools.lru_cache(maxsize=64)
def roles(transform: Transform, law: Product) -> Roles:
    """Returns what the parameters are to each other.

    Raises:
      ValueError: a law of a kind that the theorem does not speak of.
    """
    pairs = law.over(transform)
    stages = [stage for stage, _ in pairs]
    pair, blurs, plain = _group.rescaling(stages), [], []
    factor = scaled = None
    for part in _group.parts(stages):
        stage, one = pairs[part.number]
        if part.kind == "gaussian_blur":
            if not isinstance(one, Exponential):
                raise ValueError(f"{transform.name} needs an exponential law for gaussian_blur, got {one}.")
            blurs.append((part.place, float(one.scale)))
        elif isinstance(one, Rayleigh) and _any_law(pair, part.place):
            factor = part.place, _rescaled.Rayleigh(float(one.scale))
        elif not isinstance(one, Gaussian | LogNormal):
            raise ValueError(
                f"{transform.name} needs a gaussian or log_normal law for {stage.name} (exponential for gaussian_blur, "
                f"and rayleigh for a factor that nothing rescales and that rescales nothing before it), got {one}."
            )
        else:
            sigma = _sigma(one, part.place - sum(len(s.params) for s in stages[: part.number]))
            if pair is not None and part.place == pair.factor:
                factor = part.place, _rescaled.Normal(sigma)
            elif pair is not None and part.place == pair.scaled:
                scaled = part.place, sigma
            else:
                plain.append((part.place, sigma))
    return Roles(tuple(blurs), tuple(plain), factor, scaled, pair is not None and not pair.before)


@functools.lru_cache(maxsize=4096)
def _attack(transform: Transform | None, law: Any, region: Region) -> _Attack:
    """The worst of a region under a law."""
    if transform is None:
        raise ValueError("Expected the certificate composition of a transform, got one of none.")
    _pairs(transform, law)
    box, found = _shifts.bounding_box(region), roles(transform, law)
    farthest = [max(-low, high) for low, high in zip(box.low, box.high, strict=True)]
    blur = sum(box.high[place] / mean for place, mean in found.blurs)
    squares = sum((farthest[place] / sigma) ** 2 for place, sigma in found.plain)
    beta = farthest[found.scaled[0]] / found.scaled[1] if found.scaled else 0.0
    factor, low, high = None, 0.0, 0.0
    if found.factor is not None:
        place, factor = found.factor
        low, high = box.low[place], box.high[place]
        if beta == 0.0 and isinstance(factor, _rescaled.Normal) and not found.behind:  # one normal shift more
            squares += (farthest[place] / factor.sigma) ** 2
            factor, low, high = None, 0.0, 0.0
    return _Attack(blur, math.sqrt(squares), factor, low, high, beta, found.behind)


def _any_law(pair: _group.Rescaling | None, place: int) -> bool:
    """Whether a parameter's law need not be normal: it is not rescaled, and rescales nothing before it."""
    return pair is None or (pair.before and place == pair.factor)


def _sigma(law: Gaussian | LogNormal, index: int) -> float:
    return float(law.sigma[index] if isinstance(law.sigma, tuple) else law.sigma)


def _slack(attack: _Attack, k: float, p_lower: float, p_upper: float) -> float:
    """(1 - w - w') / 2 at one factor: how much each power may still grow, rounded down."""
    curve = _curve(attack, k)
    # A blur that keeps e^-t of the clean mass leaves the adversary the rest (THEORY A5).
    sizes = [min(1.0, p * math.exp(min(attack.blur, 700.0))) for p in (1.0 - p_lower, p_upper)]
    power = curve.power_upper(sizes[0])
    return 0.5 * (1.0 - power - (power if sizes[0] == sizes[1] else curve.power_upper(sizes[1])))


def _curve(attack: _Attack, k: float) -> _joint.Curve | _rescaled.Curve:
    factor = attack.factor
    assert factor is not None
    if attack.behind:
        assert isinstance(factor, _rescaled.Normal)
        return _joint.Curve(k, math.hypot(k / factor.sigma, attack.rho), attack.beta)
    return _rescaled.Curve(factor, k, attack.beta, attack.rho)


def _without_factor(attack: _Attack, p_lower: float, p_upper: float) -> bool:
    """The condition where all that is left is one normal shift."""
    sizes = [p * math.exp(min(attack.blur * (1.0 + GUARD), 700.0)) for p in (1.0 - p_lower, p_upper)]
    return sum(sizes) < 1.0 and 2.0 * attack.rho * (1.0 + GUARD) < -float(sum(map(special.ndtri, sizes)))


def _ends(attack: _Attack, p_lower: float, p_upper: float) -> bool:
    """Whether the ends of the factor's range are certified."""
    if attack.factor is None:
        return _without_factor(attack, p_lower, p_upper)
    return all(_slack(attack, k, p_lower, p_upper) > 0.0 for k in {attack.low, attack.high})


@functools.lru_cache(maxsize=4096)
def _certified(attack: _Attack, p_lower: float, p_upper: float) -> bool:
    if attack.factor is None:
        return _without_factor(attack, p_lower, p_upper)
    if attack.behind:
        assert isinstance(attack.factor, _rescaled.Normal)
        speed = _joint.total_variation_speed(attack.factor.sigma)
    else:
        speed = _rescaled.Curve(attack.factor, 0.0, attack.beta, attack.rho).speed_upper
    return _covering.covered(lambda k: _slack(attack, k, p_lower, p_upper) / speed, attack.low, attack.high)
