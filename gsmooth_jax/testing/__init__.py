"""Checks that the library's own parts pass, for the authors of others; see CONTRIBUTING.md.

Each raises an AssertionError that says which promise is not kept. They need no test framework.
"""

from gsmooth_jax.testing.certificates import check_certificate as check_certificate
from gsmooth_jax.testing.laws import check_smoothing as check_smoothing
from gsmooth_jax.testing.methods import check_method as check_method
from gsmooth_jax.testing.transforms import check_transform as check_transform
