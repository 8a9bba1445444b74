import pytest

from gsmooth_jax.transforms import Gamma, Rotation, Volume, check_domain, parse
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Domain

WAVEFORMS = Domain((16,), -1.0, 1.0)
IMAGES = Domain((8, 8, 1))


class Halved(Pipe):
    name = "halved"
    params = ()
    typical = ()

    def __call__(self, image, theta):
        return image[::2]


@pytest.mark.parametrize(
    ("transform", "domain"),
    [
        (Volume(), WAVEFORMS),
        (parse("volume|clip(low=-1.0)|quantize(bits=16, low=-1.0)"), WAVEFORMS),
        (parse("rotation|gamma|clip|quantize"), IMAGES),
        (parse("additive|translation"), IMAGES),
    ],
)
def test_transforms_of_such_inputs_pass(transform, domain):
    check_domain(transform, domain)


@pytest.mark.parametrize(
    ("transform", "domain", "message"),
    [
        (Rotation(), WAVEFORMS, r"rotation cannot be applied to inputs \(16,\) in \[-1, 1\]"),
        (parse("volume|clip"), WAVEFORMS, r"clip cuts inputs .*clip\(low=-1.0, high=1.0\)"),
        (Gamma(), WAVEFORMS, "gamma takes entries >= 0"),
        (Halved(), WAVEFORMS, r"halved to keep the shape of inputs .*, got \(8,\)"),
    ],
)
def test_others_are_refused(transform, domain, message):
    with pytest.raises(ValueError, match=message):
        check_domain(transform, domain)
