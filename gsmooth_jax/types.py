"""The vocabulary: shape letters, and the few interfaces that the rest of the package is written against.

Shapes in docstrings use these letters everywhere:
  B images, S rows of a device batch, N samples, H W C pixels, P parameters, K classes, E events of a vote.
Where only images are spoken of, inputs of another shape are meant too, unless rows and columns are: see ``Domain``.
``theta`` is a smoothing draw, ``xi`` the adversary's parameter. ``p_lower`` bounds the top class's probability from
below, ``p_upper`` the runner-up's from above (one-sided claims use ``p_upper = 1 - p_lower``).
The suffixes ``_lower`` and ``_upper`` are promises (proved bounds, rounded outward); ``_estimate`` is none.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import jax
import numpy as np

from gsmooth_jax.computed import Computed as Computed

ABSTAIN = -1
"""The predicted class of a smoothed classifier that cannot name one at the stated confidence."""

Group = Literal["additive", "brightness_contrast", "composition", "none"]
"""The exact composition law of a transform: T(T(x, a), b) = T(x, gamma_a(b)) with gamma_a(b) = a + b (``additive``),
the joint law of e^k (x + b) (``brightness_contrast``), that of several stages (``composition``: their ``resolve``), or
no law that holds exactly (``none``)."""

Acts = Literal["additive", "multiplicative"]
"""Whether a smoothing law draws the parameter itself, or the factor whose logarithm is the parameter."""


@dataclasses.dataclass(frozen=True)
class Domain:
    """The inputs of a model: arrays of one shape with entries in [low, high].

    An image is [H, W, C] in [0, 1]; a waveform may be [T] in [-1, 1].

    Attributes:
      shape: of one input, with at least one axis.
      low: the least value of an entry.
      high: the largest.
    """

    shape: tuple[int, ...]
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self):
        sizes = tuple(self.shape) if isinstance(self.shape, tuple | list) else ()
        if not sizes or any(type(n) is bool or not isinstance(n, int | np.integer) or n < 1 for n in sizes):
            raise ValueError(f"Expected a shape of positive integers, such as (28, 28, 1), got shape={self.shape!r}.")
        low, high = float(self.low), float(self.high)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"Expected low < high, both finite, got low={self.low!r}, high={self.high!r}.")
        object.__setattr__(self, "shape", tuple(int(n) for n in sizes))
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    def meets(self, wanted: "Domain | tuple[int, ...]") -> bool:
        """Whether it is the one wanted, or has the shape where that is all that is."""
        return self == wanted if isinstance(wanted, Domain) else self.shape == Domain(wanted).shape

    def __str__(self) -> str:
        """Such as ``(28, 28, 1) in [0, 1]``."""
        return f"{self.shape} in [{self.low:g}, {self.high:g}]"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """One image of a data set, or another input of a model.

    Attributes:
      id: its index in the data set's original file order.
      image: float32, of the shape and in the range of the model's ``Domain``: images [H, W, C] in [0, 1], waveforms.
      label: its class, or the true number; None where that is not known. No claim rests on it.
    """

    id: int
    image: np.ndarray
    label: int | float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Param:
    """One scalar parameter of a transform (or one number a pixel): what it is called and what it is measured in.

    0 is the identity, whatever the transform.
    """

    name: str
    unit: str
    low: float = -math.inf  # the transform is defined on [low, high]
    high: float = math.inf
    log: bool = False  # the parameter is the logarithm of a factor: multiplicative laws apply
    per_pixel: bool = False  # one number for each of the H W C entries
    whole: bool = False  # its values are whole numbers: of a region these are meant, and draws are rounded
    offset: bool = False  # changing it adds one constant to every entry of the output, whatever the others are


@runtime_checkable
class Transform(Protocol):
    """A pure function of one image; hashable, so that it can be a static argument of a compiled kernel."""

    @property
    def name(self) -> str:
        """The name in the registry."""
        ...

    @property
    def params(self) -> tuple[Param, ...]:
        """The parameters, in the order of ``theta``."""
        ...

    @property
    def group(self) -> Group:
        """The exact composition law, or ``none``."""
        ...

    @property
    def typical(self) -> tuple[tuple[float, float], ...]:
        """(low, high) of each parameter: the published region where there is one."""
        ...

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [P] -> [H, W, C]. Never clips. Device."""
        ...


@runtime_checkable
class LipschitzBounded(Protocol):
    """A transform that bounds how fast the image moves with each parameter."""

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the L2 change of the image per unit of each parameter on a whole box. Device.

        Args:
          image: [H, W, C].
          low: [P], the box's lower corner.
          high: [P], the box's upper corner.

        Returns:
          [P] constants L with |T(xi) - T(xi')|_2 <= sum_j L_j |xi_j - xi'_j| for all xi, xi' in the box; rounded up.
        """
        ...


@runtime_checkable
class EntryBounded(Protocol):
    """A transform that bounds how fast each entry of the image moves with each parameter (THEORY Q1)."""

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Bounds the change of each entry per unit of each parameter on a whole box. Device.

        Args:
          image: [H, W, C].
          low: [P], the box's lower corner.
          high: [P], the box's upper corner.

        Returns:
          [P, H, W, C] speeds v with |T(xi)_e - T(xi')_e| <= sum_j v_je |xi_j - xi'_j| for each entry e and all xi, xi'
          in the box; rounded up.
        """
        ...


@runtime_checkable
class Chainable(Protocol):
    """A transform whose Lipschitz bound survives a change of its image, so that it may follow another one."""

    def sensitivity_upper(
        self, shape: tuple[int, ...], low: jax.Array, high: jax.Array
    ) -> tuple[jax.Array, jax.Array | None]:
        """Bounds what a change of the image by 1 in L2 can do, for every parameter of a box. Device.

        Args:
          shape: of the image, [H, W, C].
          low: [P], the box's lower corner.
          high: [P], the box's upper corner.

        Returns:
          How far the output moves, a scalar; and how much the entries [P] of ``lipschitz_upper`` grow, None where they
          hold for every image. Rounded up.
        """
        ...


@runtime_checkable
class Float32Bounded(Protocol):
    """A transform that says how far float32 arithmetic takes its result (THEORY J13)."""

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Bounds what float32 arithmetic makes of the transformed image, for every parameter of a box. Host.

        Parameters are float32 numbers, and exact. Arithmetic is as ``transforms.float32`` takes it to be.

        Args:
          image: the input.
          low: [P] float64, the box's lower corner.
          high: [P], the box's upper corner.
        """
        ...


@runtime_checkable
class FiniteValued(Protocol):
    """A piecewise constant transform: enumerating its outputs is exact."""

    def representatives(self, image_shape: tuple[int, ...], low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """[M, P] float64: a parameter in the box [low, high] for each distinct output there. Host.

        Of one parameter, one for each stretch of it that has one output, ascending.
        """
        ...


@runtime_checkable
class Smoothing(Protocol):
    """A law of the smoothing parameter: a device sampler and its host radius theory, in one file."""

    @property
    def name(self) -> str:
        """The name in the registry."""
        ...

    @property
    def acts(self) -> Acts:
        """``additive``: draws theta. ``multiplicative``: draws the factor, theta is its logarithm."""
        ...

    @property
    def support(self) -> tuple[float, float]:
        """The closed range of the draws."""
        ...

    def sample(self, key: jax.Array, dim: int) -> jax.Array:
        """Draws [dim] independent numbers. Device. The key is consumed."""
        ...

    def radius_integral(self, p_lower: float, p_upper: float, direction: int = 1) -> float:
        """Returns how far one parameter may move in ``direction`` (+1 or -1) with the top class still winning. Host.

        The value is the supremum: shifts strictly below it are certified. Tight (Neyman-Pearson). In additive units
        (multiplicative laws: of the logarithm).
        """
        ...

    def certifies(self, shift: np.ndarray, p_lower: float, p_upper: float) -> bool:
        """Says whether the top class still wins after a shift [P] of the parameter vector. Host, float64."""
        ...


class Noise(Protocol):
    """What one vote does to its smoothing centre; a pytree."""

    def __call__(self, key: jax.Array, centre: jax.Array) -> jax.Array:
        """Draws the image [H, W, C] to classify from a centre. Device. The key is consumed."""
        ...


class Vote(Protocol):
    """What one draw decides: E yes/no events about the model's output on a noisy input; a pytree.

    A hypothesis says that one of the events has more than some probability. Which draw it is comes from its key alone,
    so a vote may draw a noisy input, several of them, or the majority of votes of its own. The last event is that the
    model's output is not finite; such a draw speaks for no other event.
    """

    @property
    def noise(self) -> "Noise":
        """What a draw does to its centre."""
        ...

    def __call__(self, model: Callable[[jax.Array], jax.Array], keys: jax.Array, centres: jax.Array) -> jax.Array:
        """Casts N votes at each of S centres. Device. The keys are consumed.

        Args:
          model: inputs [B, ...] -> outputs [B, ...]; to be called once, on all draws.
          keys: [S, N], one a draw.
          centres: [S, ...], what the noise is drawn around.

        Returns:
          [S, N, E] bool.
        """
        ...


@runtime_checkable
class LatentNoise(Noise, Protocol):
    """Gaussian noise of one fixed covariance S around the latent u = F2(y) of an image y; H maps it back to an image.

    How y came about never matters: classes carry over between any two latents whose distance |u - u'|_(S^-1) is small
    enough (THEORY D1). Anisotropic Gaussian certificates: Fischer et al. 2020, Appendix B.
    """

    @property
    def sigma(self) -> float:
        """S >= sigma^2 I. Host."""
        ...

    @property
    def lipschitz_upper(self) -> float:
        """Bounds |F2(y) - F2(y')|_(S^-1) / |y - y'|_2 over all images. Rounded up. Host."""
        ...

    def offset_upper(self, entries: int) -> float:
        """The same for images of so many entries that differ by one number, added to every entry. Host."""
        ...

    def encode(self, images: jax.Array) -> jax.Array:
        """[B, H, W, C] -> latents [B, ...]. Device."""
        ...

    def float32_upper(self, image: Computed) -> float:
        """Bounds, in |.|_(S^-1), how far float32 takes the latent of an image from the one of real numbers. Host.

        The image's own error is not counted.
        """
        ...

    def total_variation_upper(self, entries: int) -> float:
        """Bounds the total variation between draws for latents of so many entries and the law of the proofs. Host.

        0 where float32 draws are taken for that law (THEORY J1).
        """
        ...

    def whitened(self, latents: np.ndarray) -> np.ndarray:
        """Takes latents [M, D] linearly to vectors whose lengths bound |u|_(S^-1) from above: [M, D'] float64. Host."""
        ...


class Region(Protocol):
    """A set of adversarial parameters around the identity, member of a nested family indexed by its size."""

    @property
    def size(self) -> float:
        """The radius of a ball; the largest absolute corner coordinate of a box. In parameter units."""
        ...

    def scaled(self, size: float) -> "Region":
        """The similar region of another size."""
        ...


@runtime_checkable
class Certificate(Protocol):
    """A radius theory: turns probability bounds into a statement about a region. Host.

    The law is a ``Smoothing``; for a certificate with a field ``transform``, which it is built with, also the product
    of one law for each stage.
    """

    @property
    def name(self) -> str:
        """The name in the registry (``--method``)."""
        ...

    def check(self, transform: Transform, law: Any, region: Region) -> None:
        """Raises ValueError unless the theorem's hypotheses hold for this transform, law and region."""
        ...

    def certifies(self, law: Any, region: Region, p_lower: float, p_upper: float) -> bool:
        """Says whether the top class wins for every xi in the region. Monotone in p_lower, p_upper and the region."""
        ...


def param_dim(transform: Transform, image_shape: tuple[int, ...]) -> int:
    """Returns P, the length of theta for images of this shape [H, W, C]."""
    return sum(math.prod(image_shape) if p.per_pixel else 1 for p in transform.params)
