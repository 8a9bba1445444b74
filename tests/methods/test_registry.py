"""Which methods can prove a claim, where the one that was asked for cannot."""

import pytest

import gsmooth_jax as gs
from gsmooth_jax import transforms
from gsmooth_jax.methods import registry

BOX = gs.Box([-0.1], [0.1])


@pytest.mark.parametrize(
    ("transform", "region", "wanted", "unwanted"),
    [
        ("volume", BOX, {"resolvable", "cover", "cc_cert"}, {"multiplicative", "enumerate", "median"}),
        ("volume|clip(low=-1.0)", BOX, {"cover", "spt"}, {"resolvable"}),
        ("gamma", BOX, {"resolvable", "multiplicative", "cover"}, {"brightness_contrast"}),
        ("brightness_contrast", gs.Box([-0.1] * 2, [0.1] * 2), {"brightness_contrast", "cover"}, {"resolvable"}),
        ("contrast|brightness", gs.Ball(0.1, 2), {"composition"}, {"cover"}),
        ("gaussian_blur", gs.Box([0.0], [4.0]), {"resolvable"}, {"composition"}),
        ("gaussian_blur", gs.Box([-1.0], [4.0]), set(), {"resolvable", "cover"}),
    ],
)
def test_methods_for_a_claim(transform, region, wanted, unwanted):
    found = registry.able(transforms.parse(transform), region)
    assert wanted <= set(found)
    assert not unwanted & set(found)


def test_an_error_lists_the_methods_that_can():
    transform = transforms.parse("volume|clip(low=-1.0)")
    method = registry.parse("resolvable", "gaussian(sigma=4)", transform)
    with pytest.raises(ValueError, match=r"group 'none'. Methods for it: cc_cert, cover, interval, spt.$"):
        registry.guarantee(transform=transform, region=BOX, method=method)
    outside = gs.Box([-1.0], [4.0])
    blur = transforms.parse("gaussian_blur")
    method = registry.parse("resolvable", "exponential(scale=3)", blur)
    with pytest.raises(ValueError, match=r"^(?!.*Methods for it)"):  # none can: there is nothing to list
        registry.guarantee(transform=blur, region=outside, method=method)
    terms = {
        "transform": transforms.Volume(),
        "method": registry.parse("auto", "gaussian(sigma=4)", transforms.Volume()),
    }
    with pytest.raises(ValueError, match=r"0 < alpha < 1, got alpha=2.0.$"):  # no method is at fault
        registry.guarantee(**terms, region=BOX, alpha=2.0)
    assert registry.guarantee(**terms, region=BOX) == gs.Guarantee(**terms, region=BOX)
