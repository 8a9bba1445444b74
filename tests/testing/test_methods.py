"""The library's methods pass ``check_method``; one whose claims do not follow from their evidence does not."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax.claims import Answer
from gsmooth_jax.methods.base import Conclusion
from gsmooth_jax.methods.enumerate import Enumerate
from gsmooth_jax.methods.median import Median
from gsmooth_jax.testing import check_method
from tests.known import SHAPE
from tests.methods.test_interface import Nested


@pytest.fixture(scope="module")
def brightness(classifier, examples):
    return {"model": classifier, "examples": examples, "transform": gs.transforms.Brightness()}


@pytest.mark.parametrize("test", ["sequential", "fixed", "fixed_two_sided"])
def test_closed_form(guarantee, brightness, test):
    claims = check_method(guarantee.method, **brightness, region=guarantee.region, max_votes=1024, test=test)
    assert {c.status for c in claims} == {"proved"}


@pytest.mark.parametrize(
    ("method", "max_votes"),
    [
        (gs.Cover(noise=gs.PixelNoise(sigma=0.25)), 2000),
        (gs.Cover(noise=gs.PixelNoise(sigma=0.25, brightness=0.1, exact=True)), 2000),
        (Median(noise=gs.PixelNoise(sigma=0.25), low=0.47, high=0.53, steps=3, output=1), 2000),
        (Nested(), 2000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_methods_of_noise(method, max_votes, brightness):
    check_method(method, **brightness, region=gs.Box([-0.1], [0.1]), max_votes=max_votes)


def test_enumerate():
    def by_first_row(images):
        mean = images[:, 0].mean(axis=(1, 2))
        return jnp.stack([0.5 - mean, mean - 0.5], axis=-1)

    rows = [[0.9, 0.8, 0.9, 0.7], [0.9, 0.1, 0.9, 0.2]]
    images = [np.broadcast_to(np.float32(row)[:, None, None], SHAPE) for row in rows]
    examples = [gs.Example(id=i, image=image) for i, image in enumerate(images)]
    model, transform = gs.as_classifier(by_first_row, SHAPE), gs.transforms.Translation()
    check_method(Enumerate(), model=model, examples=examples, transform=transform, region=gs.Box([-1, 0], [1, 0]))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hasty(Nested):
    """Takes the selection draws for a proof."""

    def concludes(self, evidence, guarantee):
        sure = max(evidence.selection) == sum(evidence.selection)
        return Conclusion(Answer(int(np.argmax(evidence.selection[:-1]))), sure, 0.1 if sure else 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Spent(Nested):
    """Tests at more than alpha."""

    def ledger(self, guarantee):
        return (("class, from below", 2 * guarantee.alpha),)


@pytest.mark.parametrize(
    ("method", "message"), [(Hasty(), "another event is not noticed"), (Spent(), "more than alpha is spent")]
)
def test_a_method_that_claims_too_much_is_found(method, message, brightness):
    with pytest.raises(AssertionError, match=message):
        check_method(method, **brightness, region=gs.Box([-0.1], [0.1]), max_votes=2000)
