import pathlib
import subprocess
import sys

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_jax import smoothing
from gsmooth_jax.types import Smoothing

LAWS = {
    "gaussian": "gaussian(sigma=(0.5, 1.0))",
    "uniform": "uniform(low=-1.0, high=2.0)",
    "exponential": "exponential(scale=0.1)",
    "folded_gaussian": "folded_gaussian(sigma=3.0)",
    "laplace": "laplace(scale=0.3)",
    "log_normal": "log_normal(sigma=0.25)",
    "rayleigh": "rayleigh(scale=1.5)",
    "soap_l2": "soap_l2(sigma=0.5, k=3.0, dim=16)",
    "soap_linf": "soap_linf(sigma=0.5, k=3.0, dim=16, level=0.0001, seed=0)",
}


@pytest.mark.parametrize("name", smoothing.SMOOTHINGS)
def test_every_law(name):
    assert (pathlib.Path(__file__).parent / f"test_{name}.py").exists()
    law: Smoothing = smoothing.parse(LAWS[name])
    assert law.name == name
    assert smoothing.describe(law) == LAWS[name]
    assert hash(law) == hash(smoothing.parse(LAWS[name]))
    # JAX may rebuild a law with anything in its fields.
    assert jax.tree.map(lambda leaf: leaf, law) == law
    placeholders = jax.tree.map(lambda leaf: object(), law)
    assert len(jax.tree.leaves(placeholders)) == len(jax.tree.leaves(law))


@pytest.mark.parametrize("text", ["cauchy(scale=1)", "gaussian", "gaussian(scale=1)", "gaussian(sigma=x)", "gaussian("])
def test_bad_text(text):
    with pytest.raises(ValueError, match=r"law|takes"):
        smoothing.parse(text)


@given(st.one_of(st.floats(max_value=0), st.just(float("nan")), st.just(float("inf"))))
def test_no_law_takes_a_bad_width(width):
    for name, field in (("gaussian", "sigma"), ("laplace", "scale"), ("rayleigh", "scale"), ("log_normal", "sigma")):
        with pytest.raises(ValueError, match=field):
            smoothing.SMOOTHINGS[name](**{field: width})


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.5), st.sampled_from([1, -1]))
def test_better_bounds_never_shrink_a_radius(p_lower, p_upper, less, direction):
    for name, text in LAWS.items():
        law = smoothing.parse("gaussian(sigma=0.5)" if name == "gaussian" else text)
        if hasattr(law, "dim"):  # not of one parameter, and slow: in its own tests
            continue
        radius = law.radius_integral(p_lower, p_upper, direction)
        assert radius >= 0
        assert radius <= law.radius_integral(p_lower, p_upper * less, direction) * (1 + 1e-9)
        assert radius <= law.radius_integral(p_lower + less * (1 - p_lower), p_upper, direction) * (1 + 1e-9)
        if 1e-300 < radius < 1e6:  # not where float64 has lost its digits
            assert not law.certifies(np.array([radius * direction]), p_lower, p_upper)
            assert law.certifies(np.array([radius * direction * (1 - 1e-6)]), p_lower, p_upper)


def test_import_is_light():
    code = "import sys, gsmooth_jax.smoothing; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
