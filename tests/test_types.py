import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import _validate


def test_a_domain_is_a_shape_and_a_range():
    assert gs.Domain([28, np.int64(28), 1]) == gs.Domain((28, 28, 1), 0.0, 1.0)
    assert str(gs.Domain((16000,), -1, 1)) == "(16000,) in [-1, 1]"
    for shape in ((), (4, 0), (4.0,), (True,), 4, "4"):
        with pytest.raises(ValueError, match="shape="):
            gs.Domain(shape)
    for low, high in ((1.0, 1.0), (1.0, 0.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="low < high"):
            gs.Domain((4,), low, high)


def test_what_is_no_input_of_a_domain_is_refused_by_value_and_rule():
    domain = gs.Domain((4,), -0.1, 0.1)
    _validate.image(np.float32([-0.1, 0.0, 0.1, 0.05]), image_id=3, domain=domain)
    for value, message in (
        (np.zeros(4), r"image 3 to be float32 in \[-0.1, 0.1\], got dtype float64"),
        (np.zeros((4, 1), np.float32), r"image 3 to have shape \(4,\), got \(4, 1\)"),
        (np.float32([0, np.nan, np.inf, 0]), "image 3 to be finite, got 2"),
        (np.float32([0, 0, 0, 0.2]), r"image 3 to lie in \[-0.1, 0.1\], got values in \[0.0, 0.2"),
        (np.float32([0, 0, 0, -0.2]), r"image 3 to lie in \[-0.1, 0.1\], got values in \[-0.2"),
    ):
        with pytest.raises(ValueError, match=message):
            _validate.image(value, image_id=3, domain=domain)
