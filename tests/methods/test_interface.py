"""A method that is not the library's own, against the interface alone; what proves and verifies it is shared."""

import dataclasses
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import gsmooth_jax as gs
from gsmooth_jax import pytrees
from gsmooth_jax.claims import Answer, Hypothesis
from gsmooth_jax.methods.base import Conclusion, Found, Pilots, Poll, check_classes, chosen_class
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.methods.verifier import faults
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Brightness
from tests.known import SHAPE

INNER = 15
"""Votes of which one outer vote is the majority."""


@pytrees.register
@dataclasses.dataclass(frozen=True)
class Majority:
    """A nested vote: the class that most of ``INNER`` votes are for, around a centre that is noisy itself."""

    outer: gs.PixelNoise
    inner: gs.PixelNoise

    @property
    def noise(self):
        return self.outer

    def __call__(self, model, keys, centres):
        def drawn(key, centre):
            outer, inner = jax.random.split(key)
            near = self.outer(outer, centre)
            return jax.vmap(self.inner, in_axes=(0, None))(jax.random.split(inner, INNER), near)

        images = jax.vmap(jax.vmap(drawn, in_axes=(0, None)))(keys, centres)  # [S, N, INNER, H, W, C]
        answers = model(images.reshape(-1, *images.shape[3:])).argmax(axis=-1).reshape(images.shape[:3])
        counts = (answers[..., None] == jnp.arange(2)[None, None, None, :]).sum(axis=2)
        events = counts.argmax(axis=-1)[..., None] == jnp.arange(3)[None, None, :]
        return events  # the last never happens: the model is finite everywhere


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nested:
    """One centre: brightness moves the image by |b| sqrt(n), and Cohen's theorem holds for the outer noise."""

    outer: float = 0.2
    inner: float = 0.02

    status: ClassVar[str] = "proved"
    computes: ClassVar[bool] = False
    takes: ClassVar[str] = "nothing"
    picks: ClassVar[bool] = True
    block: ClassVar[int] = 1
    name: ClassVar[str] = "nested"
    law: ClassVar[str] = ""
    parts: ClassVar[tuple] = ()

    def check(self, transform, region):
        if transform != Brightness():
            raise ValueError("nested takes brightness")

    def check_model(self, model):
        check_classes("nested", model)

    def vote(self, transform):
        return Majority(gs.PixelNoise(sigma=self.outer), gs.PixelNoise(sigma=self.inner))

    def check_budget(self, guarantee):
        pass

    def requirement(self, guarantee, example=None):
        return ""

    def ledger(self, guarantee):
        return (("selection", 0.0), ("outer votes", guarantee.alpha))

    def pilots(self, guarantee):
        return 1

    def _asked(self, guarantee, top):
        distance = guarantee.region.size * np.sqrt(np.prod(SHAPE)) / self.outer
        return Hypothesis(
            guarantee.region.low, guarantee.region.high, float(special.ndtr(distance)), 0, guarantee.alpha, top
        )

    def hypotheses(self, example, model, guarantee, tests):
        (selection,) = yield Pilots([example.image])
        asked = (self._asked(guarantee, int(np.argmax(selection[:-1]))),)
        while asked[0].votes < guarantee.max_votes and tests.decide(asked[0]) == "undecided":
            (asked,) = yield [Poll(example.image, asked, guarantee.max_votes)]
        return Found(asked)

    def concludes(self, evidence, guarantee):
        top, wrong = chosen_class(evidence.selection, guarantee)
        (found,) = evidence.hypotheses
        expected = self._asked(guarantee, top)._replace(successes=found.successes, votes=found.votes)
        wrong += () if found == expected else ("hypotheses: not the one of the method",)
        passed = bool(evidence.passed)
        return Conclusion(Answer(top) if passed else None, passed, guarantee.region.size if passed else 0.0, wrong)


@pytest.fixture(scope="module")
def terms():
    return gs.Guarantee(transform=Brightness(), region=gs.Box([-0.05], [0.05]), method=Nested())


@pytest.fixture(scope="module")
def claims(classifier, terms, examples):
    return list(gs.certify_stream(classifier, examples, terms))


def test_nested_votes_prove_what_is_true(claims, examples, terms):
    for claim, example in zip(claims, examples, strict=True):
        true_radius = abs(float(example.image.mean()) - 0.5)
        assert not claim.certified or true_radius > 0.05
        assert claim.certified or true_radius < 0.11
        assert claim.certified == (claim.predicted == example.label) or not claim.certified
    assert sum(c.certified for c in claims) >= 8
    assert verify(terms, claims) == []


def test_what_it_promises_is_an_assumption(claims):
    assert {c.status for c in claims} == {"conditional"}
    assert {c.assumes for c in claims} == {("method tests.methods.test_interface:Nested",)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"status": "proved"}, "status"),
        ({"assumes": ()}, "assumes"),
        ({"alpha": 0.1}, "alpha"),
        ({"ledger": (("selection", 0.0),)}, "ledger"),
        ({"votes": 1}, "votes"),
        ({"radius": 0.1}, "radius"),
        ({"statement": None}, "statement"),
    ],
)
def test_the_shared_verifier_finds_what_was_altered(claims, terms, change, named):
    claim = next(c for c in claims if c.certified)
    (fault,) = faults(dataclasses.replace(claim, **change), terms, Tests(terms))
    assert fault.startswith(named)
