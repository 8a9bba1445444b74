import jax.numpy as jnp
import numpy as np

from gsmooth_jax.transforms import Clip
from tests.transforms.contract import check_transform


def test_contract():
    check_transform(Clip())


def test_clips_to_the_range_of_a_file():
    image = np.linspace(-1, 2, 12, dtype=np.float32).reshape(2, 6, 1)
    np.testing.assert_array_equal(Clip()(image, jnp.zeros(0)), np.clip(image, 0, 1))
