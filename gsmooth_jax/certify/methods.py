"""From names to methods: what ``--method`` and ``--law`` mean."""

from gsmooth_jax import _validate, smoothing
from gsmooth_jax.certificates import CERTIFICATES, default_for
from gsmooth_jax.certify.closed_form import ClosedForm
from gsmooth_jax.certify.config import Method
from gsmooth_jax.certify.cover import Cover
from gsmooth_jax.smoothing.noise import PixelNoise
from gsmooth_jax.types import Smoothing, Transform

METHODS = {**CERTIFICATES, "cover": Cover}
"""Name -> the theorem or method behind it."""


def parse(name: str, law: str, transform: Transform) -> Method:
    """Returns the method of that name with the law that the text describes; see ``choose``."""
    return choose(name, smoothing.parse(law), transform)


def choose(method: str | Method, law: Smoothing | PixelNoise | None, transform: Transform) -> Method:
    """Returns the method of that name; ``auto`` takes the one made for the law and the transform.

    A method that is one already brings its law.

    Raises:
      ValueError: an unknown name, or a method that the law does not fit.
    """
    if isinstance(method, str) == (law is None):
        raise ValueError(f"Expected a law, or a method that brings its own; got {law=} and {method=}.")
    if not isinstance(method, str) or law is None:
        assert not isinstance(method, str)
        return method
    wanted = ("cover" if isinstance(law, PixelNoise) else default_for(transform, law)) if method == "auto" else method
    _validate.known(METHODS, method=wanted)
    if (wanted == "cover") != isinstance(law, PixelNoise):
        raise ValueError(
            f"Method {wanted!r} does not take {smoothing.describe(law)}: pixel_noise is for cover, and for cover alone."
        )
    if isinstance(law, PixelNoise):
        return Cover(noise=law)
    return ClosedForm(smoothing=law, certificate=CERTIFICATES[wanted]())
