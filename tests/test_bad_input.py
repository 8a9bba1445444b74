"""Whatever is wrong with an argument: the message has its name, its value and the rule, and no other tongue's."""

import jax
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import transforms
from gsmooth_jax.attacks import Grid, attack_stream
from gsmooth_jax.certificates import Resolvable
from gsmooth_jax.models.architecture import Architecture
from gsmooth_jax.results import sources
from tests.known import SHAPE, by_mean

IMAGES = np.full((2, *SHAPE), 0.9, np.float32)


class Plain:
    """A law in all but that JAX cannot take it apart."""

    name, acts, support = "plain", "additive", (-9.0, 9.0)

    def sample(self, key, dim):
        return jax.random.normal(key, (dim,))

    def radius_integral(self, p_lower, p_upper, direction=1):
        return p_lower - p_upper

    def certifies(self, shift, p_lower, p_upper):
        return False


class Movable:
    """A transform whose attributes may be set anew."""

    name, group, typical = "movable", "additive", ((-0.5, 0.5),)
    params = gs.transforms.Brightness().params
    factor = 1.0

    def __call__(self, image, theta):
        return image + self.factor * theta[0]


def certify(model=by_mean, images=IMAGES, labels=(1, 1), **changes):
    terms = {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.1], [0.1]), "max_votes": 128}
    law = {} if "method" in changes and not isinstance(changes["method"], str) else {"law": gs.Gaussian(sigma=0.1)}
    return gs.certify(model, images, labels, **(terms | law | changes))


def guarantee(**changes):
    terms = {"transform": gs.transforms.Brightness(), "region": gs.Box([-0.1], [0.1])}
    closed = gs.ClosedForm(smoothing=gs.Gaussian(sigma=0.1), certificate=Resolvable())
    return gs.Guarantee(**(terms | {"method": closed} | changes))


RAGGED = [np.zeros((4, 4, 1), np.float32), np.zeros((3, 4, 1), np.float32)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: gs.Box(-0.3, 0.3),
            r"such as gs.Box\(\[-0.5\], \[0.5\]\), got low=-0.3, high=0.3",
        ),
        (lambda: gs.Box("a", "b"), "got low='a', high='b'"),
        (lambda: gs.Box(None, None), "got low=None, high=None"),
        (lambda: gs.Box([np.nan], [1]), r"finite low <= 0 <= high .*, got low=\[nan\], high=\[1\]"),
        (lambda: gs.Box([-1, -1], [1]), r"as many lower as upper ends .*, got low=\[-1, -1\], high=\[1\]"),
        (lambda: gs.Box([0.1], [1]), "holds the identity"),
        (lambda: gs.Box([], []), "at least one"),
        (lambda: gs.Box([0], [0]), "larger than the identity alone"),
        (lambda: gs.Ball("a"), "radius > 0 and finite, got radius='a'"),
        (lambda: gs.Ball(None), "radius > 0 and finite, got radius=None"),
        (lambda: gs.Ball(True), "radius > 0 and finite, got radius=True"),
        (lambda: gs.Ball(1.0, -2), "dim >= 1, got dim=-2"),
        (lambda: gs.Ball(1.0, 2.5), "an integer dim >= 1, got dim=2.5"),
        *((lambda p=p: gs.Ball(1.0, 2, p), f"p to be 1, 2 or inf, got p={p!r}") for p in (3, 0.5, None, True, "inf")),
        (lambda: gs.Ball(1.0, p=float("nan")), "p to be 1, 2 or inf, got p=nan"),
        (lambda: certify(alpha=None), "0 < alpha < 1, got alpha=None"),
        (lambda: certify(alpha="small"), "0 < alpha < 1, got alpha='small'"),
        (lambda: certify(alpha=float("nan")), "0 < alpha < 1, got alpha=nan"),
        (lambda: certify(alpha=True), "0 < alpha < 1, got alpha=True"),
        (lambda: guarantee(alpha=2.0), "0 < alpha < 1, got alpha=2.0"),
        (lambda: guarantee(futility=None), "0 < futility < 1, got futility=None"),
        (lambda: certify(max_votes=None), "integer max_votes >= 1, got max_votes=None"),
        (lambda: certify(max_votes=100.0), "integer max_votes >= 1, got max_votes=100.0"),
        (
            lambda: certify(max_votes=2**31),
            "max_votes <= 2147483640, .*, got max_votes=2147483648",
        ),
        (lambda: guarantee(selection_votes=2**31), "selection_votes <= 2147483640"),
        (lambda: guarantee(block=2**31, max_votes=1), "block <= 2147483647"),
        (lambda: guarantee(block=2**30, max_votes=2**30 + 1), "max_votes <= 1073741824"),
        (lambda: certify(seed=None), "seed >= 0, got seed=None"),
        (lambda: certify(test=None), "Unknown test None. Known: fixed, fixed_two_sided, sequential"),
        (lambda: certify(test=[]), r"Unknown test \[\]"),
        (lambda: certify(transform="brightness"), "Expected transform to be an object of this library"),
        (lambda: certify(transform=gs.transforms.Brightness), "Expected transform to be an object of this library"),
        (lambda: certify(transform=None), "Expected transform to be a transform: name, params, .*, got transform=None"),
        (
            lambda: certify(transform=lambda x, t: x),
            "to be a transform: .*, got transform=<function",
        ),
        (lambda: certify(transform=Movable()), "Expected transform to be a frozen dataclass of hashable fields"),
        (lambda: certify(region=None), "Expected region to be a gs.Box or a gs.Ball, got region=None"),
        (lambda: certify(region=(-0.1, 0.1)), r"Expected region to be a gs.Box or a gs.Ball, got region=\(-0.1, 0.1\)"),
        (lambda: certify(law=None), "Expected a law, or a method that brings its own; got law=None"),
        (lambda: certify(law=0.25), "Expected law to be a law of the parameter, such as gs.Gaussian.*, got law=0.25"),
        (lambda: certify(law="gaussian(sigma=.1)"), "Expected law to be an object of this library"),
        (lambda: certify(law=gs.Gaussian), "Expected law to be an object of this library"),
        (lambda: certify(law=Plain()), "Expected law to be a pytree"),
        (lambda: certify(law=gs.Gaussian(sigma=None)), r"Expected law to hold numbers, got law=Gaussian\(sigma=None\)"),
        (lambda: gs.Gaussian(sigma="a"), "Expected a number sigma, got sigma='a'"),
        (lambda: certify(method=3), "Expected method to be a method, such as gs.Cover.*, got method=3"),
        (lambda: certify(method=gs.Cover), "Expected method to be a method, such as gs.Cover"),
        (lambda: certify(method="magic"), "Unknown method 'magic'. Known: additive,"),
        (lambda: gs.Cover(noise=0.25), r"noise of a latent, such as gs.PixelNoise\(sigma=0.25\), got noise=0.25"),
        (lambda: gs.Cover(noise=None), "noise of a latent, .*, got noise=None"),
        (lambda: gs.Cover(noise=gs.Gaussian(sigma=0.1)), r"noise of a latent, .*, got noise=Gaussian\(sigma=0.1\)"),
        (lambda: gs.Cover(noise=gs.PixelNoise(sigma=None)), "Expected noise to hold numbers"),
        (lambda: gs.GSmooth(noise=0.25), "the noise of a surrogate, got noise=0.25"),
        (lambda: gs.ClosedForm(smoothing=0.2, certificate=Resolvable()), "Expected smoothing to be a law"),
        (
            lambda: gs.ClosedForm(smoothing=gs.Gaussian(sigma=1), certificate=None),
            "certificate to be a theorem",
        ),
        (lambda: certify(execution={}), r"Expected execution to be a gs.Execution, or None, got execution=\{\}"),
        (lambda: certify(execution="fast"), "Expected execution to be a gs.Execution, or None, got execution='fast'"),
        (lambda: gs.Execution(rows="many"), "rows >= 1, got rows='many'"),
        (lambda: gs.Execution(in_flight=None), "in_flight >= 1, got in_flight=None"),
        (lambda: gs.certify_stream(by_mean, [], guarantee()), "a classifier or regressor, see as_classifier"),
        (lambda: gs.certify_stream(gs.as_classifier(by_mean, SHAPE), [], None), "a gs.Guarantee, got guarantee=None"),
        (
            lambda: attack_stream(gs.as_classifier(by_mean, SHAPE), [], guarantee(), Grid(), execution={}),
            "Expected execution to be a gs.Execution",
        ),
        (
            lambda: attack_stream(gs.as_classifier(by_mean, SHAPE), [], guarantee(), Grid(), votes=2**31),
            "votes <= 2147483640",
        ),
        (lambda: certify(images=None), r"images to be one array of numbers \[N, H, W, C\], got None"),
        (
            lambda: certify(images=RAGGED),
            r"one array .*, got 2 entries: ndarray \(4, 4, 1\), ndarray \(3, 4, 1\)",
        ),
        (lambda: certify(images="x"), "images to be one array of numbers .*, got 'x'"),
        (lambda: certify(images=[object()]), "images to be one array of numbers .*, got 1 entries: object"),
        (lambda: certify(images=IMAGES[0]), r"Expected images \[N, H, W, C\]"),
        (lambda: certify(images=(255 * IMAGES).astype(np.uint8)), "Expected image 0 to be float32 .*, got dtype uint8"),
        (lambda: certify(labels=[[1], [1, 2]]), r"labels to be one array of numbers \[N\], got 2 entries: list"),
        (lambda: certify(labels=["a", "b"]), "labels to be one array of numbers"),
        (lambda: certify(labels=[9, 1]), "label of image 0 in 0..1, got 9"),
        (lambda: certify(labels=[1.0, 1.0]), "labels to be integers, got dtype float64"),
        (lambda: certify(ids=[None, 1]), "ids to be one array of numbers"),
        (lambda: certify(ids=[-1, 1]), "id >= 0, got id=-1"),
        (lambda: certify(ids=[1, 1]), "ids to be distinct"),
        (lambda: certify(model=None), "Expected a callable"),
        (lambda: certify(model="runs/x"), "Expected a callable"),
        (lambda: gs.Uniform(low=1.0, high=0.0), "Expected low < high, got low=1.0, high=0.0"),
        (lambda: transforms.parse(f"{__file__}:RAGGED"), r"Expected transform '.*:RAGGED' to be a class, got \[array"),
        (lambda: transforms.parse(f"{__file__}:Nothing"), r"Cannot import transform '.*:Nothing': it has no 'Nothing'"),
        (lambda: sources.named("images.npz", "train"), "Expected no split for images.npz, .*, got split='train'"),
        (
            lambda: Architecture(name="speed_net", classes=2, options=(("mirror", 3),)),
            "mirror to be True or False, got mirror=3",
        ),
        (
            lambda: Architecture(name="speed_net", classes=2, options=(("widths", (8, 0)),)),
            r"integer widths\[1\] >= 1, got widths\[1\]=0",
        ),
        (lambda: transforms.parse("rotation(mask=3)"), "mask to be True or False, got mask=3"),
        (lambda: transforms.parse("defocus_blur(max_radius=None)"), "max_radius > 0 and finite, got max_radius=None"),
        (lambda: transforms.parse("quantize(bits=2.5)"), "integer bits >= 1, got bits=2.5"),
        (lambda: transforms.parse("rotation(convention=[])"), r"Unknown convention \[\]"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_the_message_has_name_value_and_rule(call, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        call()
    assert "self." not in str(caught.value)


def test_the_most_votes_there_are_are_counted():
    """The last block's draws are numbered up to 2^31 - 1."""
    terms = guarantee(max_votes=2**31 - 32)
    assert terms.max_votes == 2**31 - 32
