import jax.numpy as jnp
import numpy as np

from gsmooth_jax.testing.transforms import check_transform, grid, smooth_image
from gsmooth_jax.transforms import Rotation, Vignette


def inside(image):
    y, x, cy, cx = grid(image.shape)
    return np.where((y**2 + x**2 <= min(cy, cx) ** 2)[:, :, None], image, 0.0)


def test_contract():
    check_transform(Vignette(), at_identity=inside)
    check_transform(Rotation() | Vignette(), at_identity=inside)


def test_is_the_mask_of_a_rotation():
    image = jnp.asarray(smooth_image((9, 12, 3)))
    masked = Vignette()(Rotation()(image, jnp.array([20.0])), jnp.zeros(0))
    np.testing.assert_array_equal(masked, Rotation(mask=True)(image, jnp.array([20.0])))
    np.testing.assert_array_equal(Vignette()(masked, jnp.zeros(0)), masked)
