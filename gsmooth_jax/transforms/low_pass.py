"""A linear filter that keeps the low frequencies."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.transforms import _dct, float32
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed


@dataclasses.dataclass(frozen=True, kw_only=True)
class LowPass(Pipe):
    """Keeps the frequencies of the DFT, cyclic border, inside a disc, and no others. No parameter.

    A projection, so Lipschitz bounds survive it. What interpolating twice does to an image lies mostly at high
    frequencies (Fischer et al. 2020, who filter in the same way).

    Attributes:
      radius: of the disc, in cycles: a wave that fits j times into the height and k times into the width stays if
        j^2 + k^2 <= radius^2.
    """

    name = "low_pass"
    params = ()
    typical = ()

    radius: float = 4.0

    def __post_init__(self):
        _validate.positive(radius=self.radius)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [0] -> [H, W, C]. Device."""
        del theta
        h, w, _ = image.shape
        rows, columns = (_dct.matrix(n, True)[: self._kept(n)] for n in (h, w))
        spectrum = jnp.einsum("kh,hwc,lw->klc", rows, image, columns, precision="highest")
        waves = np.add.outer(*(_cycles(n)[: self._kept(n)] ** 2 for n in (h, w)))
        spectrum *= (waves <= self.radius**2)[:, :, None]
        return jnp.einsum("kh,klc,lw->hwc", rows, spectrum, columns, precision="highest")

    def _kept(self, n: int) -> int:
        """Rows of an axis' matrix that any frequency of the disc uses: the constant, cosines and sines."""
        return int(np.count_nonzero(_cycles(n) <= self.radius))

    def sensitivity_upper(self, shape: tuple[int, ...], low: jax.Array, high: jax.Array) -> tuple[jax.Array, None]:
        """Returns 1, and what rounds the cosines: a projection. Device."""
        del shape, high
        return jnp.full((), 1.0 + 1e-5, low.dtype), None

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Products of the rows and columns, there and back, and the rounding of the cosines. Host."""
        del low, high
        own = float32.MARGIN * 2.0 * _dct.products(image.shape, image.norm + image.error, cyclic=True)
        # The kernel has negative weights: what holds of the entries is what holds of the norm.
        return image.then(-image.norm, image.norm, image.error + own, image.error + own)


def _cycles(n: int) -> np.ndarray:
    """[n]: how often the wave of each row of ``_dct.matrix`` fits into an axis."""
    return (np.arange(n) + 1) // 2
