import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.testing.transforms import check_transform
from gsmooth_jax.transforms import Clip, describe


def test_contract():
    check_transform(Clip())
    check_transform(Clip(low=-1.0, high=2.0))


def test_clips_to_the_range_of_a_file():
    image = np.linspace(-1, 2, 12, dtype=np.float32).reshape(2, 6, 1)
    np.testing.assert_array_equal(Clip()(image, jnp.zeros(0)), np.clip(image, 0, 1))


def test_its_range_is_its_own_and_older_texts_stay_as_they_are():
    signal = np.linspace(-2, 2, 9, dtype=np.float32)
    np.testing.assert_array_equal(Clip(low=-1.0)(signal, jnp.zeros(0)), np.clip(signal, -1, 1))
    assert describe(Clip()) == "clip"
    assert describe(Clip(low=-1.0)) == "clip(low=-1.0)"
    for low, high in ((1.0, 0.0), (0.0, float("inf")), (0.0, "1"), (False, 1.0)):
        with pytest.raises(ValueError, match="low < high"):
            Clip(low=low, high=high)
