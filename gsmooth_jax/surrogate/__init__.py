"""A network that stands in for a transform: tau(theta, x) = H(F1(theta) + F2(x)) (GSmooth, Hao et al., ICML 2022).

What needs Flax is imported when first asked for.
"""

from gsmooth_jax.surrogate.noise import AugmentedNoise as AugmentedNoise
from gsmooth_jax.surrogate.noise import SurrogateNoise as SurrogateNoise
from gsmooth_jax.surrogate.noise import loaded as loaded
from gsmooth_jax.surrogate.surrogate import Surrogate as Surrogate
from gsmooth_jax.surrogate.surrogate import fingerprint as fingerprint
from gsmooth_jax.surrogate.surrogate import load as load
from gsmooth_jax.surrogate.surrogate import save as save
