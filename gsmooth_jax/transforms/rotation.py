"""Rotation about the centre."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax._spec import LATER
from gsmooth_jax.transforms import _cells, _warp, float32
from gsmooth_jax.transforms._norm import norm_upper, rounded_up
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

Name = Literal["continuous", "pillow", "scipy", "opencv"]


class Convention(NamedTuple):
    """What programs disagree about when they rotate an image bilinearly.

    Attributes:
      off_centre: how far the centre of rotation lies below, and to the right, of the image's own, in px.
      canvas: how far the canvas goes on beyond the outermost pixels' centres, in px. A pixel that reads outside it is
        0; between those centres and the canvas' edge it reads the outermost pixels. None: there is no edge, the image
        goes on with zeros, and reads between the outermost pixels and these are interpolated.
      half_open: whether the canvas' lower and right edges are outside it; its upper and left ones are inside.
    """

    off_centre: float = 0.0
    canvas: float | None = None
    half_open: bool = False


CONVENTIONS: Mapping[str, Convention] = {
    "continuous": Convention(),
    "pillow": Convention(canvas=0.5, half_open=True),
    "scipy": Convention(canvas=0.0),
    "opencv": Convention(off_centre=0.5),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rotation(Pipe, resamples=True):
    """Turns the image about its centre, bilinear unless told otherwise, zeros outside.

    Parameter: degrees, positive turns left (counter-clockwise on a screen with row 0 at the top); identity 0. No group
    law: interpolating twice blurs twice, and corners that left the canvas are lost.

    Programs agree inside the image, and disagree about its border, its centre and how they store the result in 8 bits.
    Each convention is the real-valued image of one of them:

      continuous: centre ((H - 1) / 2, (W - 1) / 2); the image goes on with zeros, so it never jumps. SciPy's
        ``ndimage.rotate(..., order=1, reshape=False, mode="grid-constant")``.
      pillow: Pillow's ``Image.rotate(angle, Resampling.BILINEAR)``: the same centre; a pixel is its whole square, and
        one whose source lies outside all squares is 0. In 8 bits Pillow rounds down: ``quantize(rounding="down")``.
      scipy: SciPy's ``ndimage.rotate(..., order=1, reshape=False)``: the same centre; a pixel whose source lies outside
        the outermost pixels' centres is 0. In 8 bits SciPy rounds to nearest.
      opencv: OpenCV's ``warpAffine`` with ``getRotationMatrix2D((W / 2, H / 2), angle, 1)``, ``INTER_LINEAR`` and
        ``BORDER_CONSTANT``, as the published code of GSmooth has it: zeros as in ``continuous``, but a centre half a
        pixel further down and to the right. OpenCV 5; older ones read at multiples of 1/32 px. In 8 bits OpenCV rounds
        to nearest.

    In ``pillow`` and ``scipy`` the image jumps at the angle where a pixel leaves the canvas, unless what it saw last
    was 0. Such an image has no Lipschitz bound there. Images with a black border have one, and so has every image with
    ``mask``.

    Attributes:
      mask: set everything outside the inscribed disc of radius (min(H, W) - 1) / 2 to 0, as TSS does. Then angle 0
        masks as well: it is the identity on masked images only.
      convention: whose rotation it is.
      interpolation: ``bilinear``; or, in the continuous convention, ``nearest`` or ``bicubic`` (Catmull-Rom), which
        state no bound.
    """

    name = "rotation"
    params = (Param(name="angle", unit="deg"),)
    typical = ((-50.0, 50.0),)

    mask: bool = False
    convention: Name = dataclasses.field(default="continuous", metadata=LATER)
    interpolation: _warp.Interpolation = dataclasses.field(default="bilinear", metadata=LATER)

    def __post_init__(self):
        _validate.known(CONVENTIONS, convention=self.convention)
        if not isinstance(self.mask, bool):
            raise ValueError(f"Expected mask to be True or False, got mask={self.mask!r}.")
        _validate.known(_warp.TAPS, interpolation=self.interpolation)
        if self.interpolation != "bilinear" and self.convention != "continuous":
            raise ValueError(
                f"Expected interpolation='bilinear' with convention={self.convention!r}, got {self.interpolation!r}."
            )
        object.__setattr__(self, "boundless", self.interpolation != "bilinear")
        # Whether it jumps depends on the border of the image, which a stage in front may light.
        object.__setattr__(self, "first_only", CONVENTIONS[self.convention].canvas is not None)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        out = rotate(image, theta[0], CONVENTIONS[self.convention], self.interpolation)
        return out * _warp.disc(image.shape)[:, :, None] if self.mask else out

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1]: the L2 norm of ``speed_upper`` over the pixels; infinite where the image may jump. Device.

        Two images are no further apart than the path between them is long (THEORY C3).
        """
        return norm_upper(self._speeds(image, low, high))[None]

    def entry_speeds_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """Returns [1, H, W, C]: ``speed_upper``; infinite where the image may jump. Device."""
        return rounded_up(self._speeds(image, low, high))[None]

    def _speeds(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        self._check_bounded()
        convention = CONVENTIONS[self.convention]
        beyond = "constant" if convention.canvas is None else "edge"
        speed = speed_upper(_cells.block_maxima(image, beyond), low[0], high[0], convention.off_centre)
        if convention.canvas is not None:
            speed = jnp.where(_jumps(image, low[0], high[0], convention.canvas), jnp.inf, speed)
        return jnp.where(_warp.disc(image.shape)[:, :, None], speed, 0.0) if self.mask else speed

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns what ``sensitivity`` says, for conventions without an edge of the canvas. Device."""
        self._check_bounded()
        apart, growth = sensitivity(shape, low[0], high[0], CONVENTIONS[self.convention].off_centre)
        return apart, growth[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Four reads at positions whose errors ``position_errors`` bounds. Host.

        ``pillow`` and ``scipy`` read the outermost pixels up to their canvas' edge, and leave there what was 0: where
        an image may jump there is no bound to which this could be added.
        """
        self._check_bounded()
        degrees = max(abs(low[0]), abs(high[0]))
        px = position_errors(image.shape, degrees, CONVENTIONS[self.convention].off_centre)
        return float32.read(image, px, units=float32.READ)

    def _check_bounded(self) -> None:
        _warp.check_bounded(self.name, self.interpolation)


def rotate(
    image: jax.Array,
    degrees: jax.Array,
    convention: Convention = CONVENTIONS["continuous"],
    interpolation: _warp.Interpolation = "bilinear",
) -> jax.Array:
    """Returns the image [H, W, C] turned left by an angle (scalar). Device."""
    h, w, _ = image.shape
    y, x = _source(h, w, degrees, convention.off_centre)
    y, x = y + (0.5 * (h - 1) + convention.off_centre), x + (0.5 * (w - 1) + convention.off_centre)
    if convention.canvas is None:
        return _warp.read_by(image, y, x, interpolation)
    # Whether a source on an edge is inside must not depend on the side to which float32 has rounded it.
    slack = _cells.slack(h, w)
    before = convention.canvas + slack
    behind = convention.canvas + (-slack if convention.half_open else slack)
    seen = (-before <= y) & (y <= h - 1 + behind) & (-before <= x) & (x <= w - 1 + behind)
    return seen[:, :, None] * _warp.read(image, jnp.clip(y, 0.0, h - 1.0), jnp.clip(x, 0.0, w - 1.0))


def speed_upper(maxima: jax.Array, low: jax.Array, high: jax.Array, off_centre: float = 0.0) -> jax.Array:
    """Bounds how fast each entry changes, per degree, while the angle runs over [low, high]. [H, W, C]. Device.

    A pixel's source moves on a circle: at position (y, x) from the centre with velocity (x, -y) per radian. Chain rule:
    the entry changes at x d/dy - y d/dx, with positions and image derivatives anywhere in a box that holds the arc
    (THEORY C3).

    Args:
      maxima: from ``_cells.block_maxima`` of the image.
      low: the smallest angle (scalar), in degrees.
      high: the largest angle.
      off_centre: of the rotation; see ``Convention``.
    """
    h, w = maxima.shape[2] - 1, maxima.shape[3] - 1
    boxes = _arcs(h, w, low, high, off_centre)
    reach = _radius(h, w, off_centre) + _cells.slack(h, w)
    top, bottom, left, right = (jnp.clip(v, -reach, reach) for v in (boxes.top, boxes.bottom, boxes.left, boxes.right))
    centred = boxes.moved(0.5 * (h - 1) + off_centre, 0.5 * (w - 1) + off_centre)
    return math.radians(1.0) * _cells.fastest(maxima, centred, (left, right), (-bottom, -top))


def sensitivity(
    shape: tuple[int, ...], low: jax.Array, high: jax.Array, off_centre: float = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Bounds the L2 norms of rotations by angles of [low, high], and of their derivatives, per degree. Device.

    A pixel is read with weights whose sum is at most that of hats at a turned grid, 1 + 4 (1 - |cos|) (1 - |sin|),
    which grows with the distance from a multiple of 90 degrees. (THEORY D7.3.)
    """
    h, w = shape[:2]
    folded = [jnp.abs(a - 90.0 * jnp.round(a / 90.0)) for a in (low, high)]
    together = jnp.round(low / 90.0) == jnp.round(high / 90.0)
    steepest = jnp.deg2rad(jnp.where(together, jnp.maximum(*folded), 45.0))
    weight = 1.0 + 4.0 * (1.0 - jnp.cos(steepest)) * (1.0 - jnp.sin(steepest))
    norm = jnp.sqrt(weight) * (1.0 + 1e-5)
    furthest = math.hypot(*(0.5 * (n - 1) + off_centre for n in (h, w)))
    return norm, norm * (math.radians(4.0) * furthest)


def _jumps(image: jax.Array, low: jax.Array, high: jax.Array, canvas: float) -> jax.Array:
    """[H, W, C]: whether an entry may jump, because its source may cross an edge of the canvas that is not black.

    A source as near to the centre as an edge is never crosses it.
    """
    h, w, _ = image.shape
    arcs, squared = _arcs(h, w, low, high, 0.0), _warp.squared_radius(h, w)
    y, x = 0.5 * (h - 1) + canvas, 0.5 * (w - 1) + canvas
    edges = (
        (image[0], (arcs.top <= -y) & (arcs.bottom >= -y) & (squared > y**2)),
        (image[-1], (arcs.top <= y) & (arcs.bottom >= y) & (squared > y**2)),
        (image[:, 0], (arcs.left <= -x) & (arcs.right >= -x) & (squared > x**2)),
        (image[:, -1], (arcs.left <= x) & (arcs.right >= x) & (squared > x**2)),
    )
    return jnp.any(
        jnp.stack([jnp.any(lit != 0.0, axis=0)[None, None] & crossed[:, :, None] for lit, crossed in edges]), axis=0
    )


def _arcs(h: int, w: int, low: jax.Array, high: jax.Array, off_centre: float) -> _cells.Boxes:
    """Boxes around the centre of rotation that hold each pixel's source while the angle runs over [low, high].

    The box of the arc's ends, enlarged by the sagitta d (1 - cos(half angle)) with d the radius, or by the diameter
    when the arc is longer than a half circle.
    """
    (y0, x0), (y1, x1) = _source(h, w, low, off_centre), _source(h, w, high, off_centre)
    half = jnp.deg2rad(0.5 * jnp.abs(high - low))
    sagitta = jnp.where(half <= 0.5 * math.pi, 2.0 * jnp.sin(0.5 * half) ** 2, 2.0)  # 1 - cos, without cancellation
    return _cells.spanned(y0, y1, x0, x1, _radius(h, w, off_centre) * sagitta + _cells.slack(h, w))


def _source(h: int, w: int, degrees: jax.Array, off_centre: float) -> tuple[jax.Array, jax.Array]:
    """Where each pixel reads from, relative to the centre of rotation: two arrays [H, W] (down, right)."""
    angle = jnp.deg2rad(jnp.fmod(degrees, 360.0))  # exact, where a large angle in radians would be rounded
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    y, x = _warp.offsets(h)[:, None] - off_centre, _warp.offsets(w)[None, :] - off_centre
    return x * sin + y * cos, x * cos - y * sin


def _radius(h: int, w: int, off_centre: float) -> jax.Array:
    """[H, W]: the distance of each pixel to the centre of rotation."""
    return jnp.hypot(_warp.offsets(h)[:, None] - off_centre, _warp.offsets(w)[None, :] - off_centre)


def position_errors(
    shape: tuple[int, ...], degrees: float, off_centre: float = 0.0, *, more: float = 0.0
) -> np.ndarray:
    """[H, W]: by how many px float32 may misplace what pixels read, down and right together. Host.

    The angle in radians has a rounding, and that of the constant: a turn, which moves a source at distance r from the
    centre by r, and by sqrt(2) r down and right together. Sine and cosine have errors of their own. Then two products
    for each direction, whose sizes are at most (|y| + |x|) (|sin| + |cos|) together; a sum, at most sqrt(2) r together;
    and the centre is added, where positions beyond the canvas do not matter.

    Args:
      shape: (H, W, ...).
      degrees: the largest angle, in absolute value.
      off_centre: of the rotation; see ``Convention``.
      more: relative error that the angle has already.
    """
    h, w = shape[:2]
    centres = 0.5 * (h - 1) + off_centre, 0.5 * (w - 1) + off_centre
    y, x = np.abs(np.arange(h) - centres[0])[:, None], np.abs(np.arange(w) - centres[1])[None, :]
    radius, angle = np.hypot(y, x), math.radians(min(degrees, 360.0))
    steepest = math.sin(min(angle, 0.5 * math.pi))
    turn = angle * (float32.UNIT + float32.constant(math.pi / 180.0) + more)
    sines = min(float32.SINE * steepest, 0.5 * float32.SINE) + 0.5 * float32.SINE  # two units below 1 are half of that
    wrong = turn * math.sqrt(2.0) * radius + (y + x) * sines
    wrong += float32.UNIT * ((y + x) * min(math.sqrt(2.0), 1.0 + steepest) + math.sqrt(2.0) * radius)
    return wrong + sum(float32.half_ulp(np.minimum(c + radius, n)) for c, n in zip(centres, (h, w), strict=True))
