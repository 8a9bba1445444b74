"""The hash of a Python callable covers its code and every number within its reach; what hides numbers is refused."""

import functools
import subprocess
import sys
import types

import numpy as np
import pytest

from gsmooth_jax.models import seen
from gsmooth_jax.models.seen import UnseenError, digest

WEIGHTS = np.arange(4.0)


def closure(weights, power=2):
    def apply(images, scale=1.0):
        return scale * images @ weights**power

    return apply


def helper(images):
    return images @ WEIGHTS


def by_global(images):
    return helper(images)


class Network:
    def __init__(self, weights):
        self.weights = weights

    def __call__(self, images):
        return images @ self.weights


class Slotted:
    __slots__ = ("weights",)

    def __init__(self, weights):
        self.weights = weights

    def __call__(self, images):
        return images @ self.weights


@pytest.mark.parametrize(
    "make",
    [
        closure,
        lambda w: closure({"layer": [w, 1.0]}),
        lambda w: functools.partial(np.matmul, w),
        Network,
        lambda w: Network(w).__call__,
        Slotted,
        lambda w: Network({1, float(w[0])}),
        lambda w: Network(np.array([w.tolist(), "x"], object)),
        lambda w: closure(w, power=3),
        lambda w: np.vectorize(closure(w)),
        lambda w: lambda images: closure(w)(images),
    ],
)
def test_numbers_within_reach_enter(make):
    one, same, other = (digest(make(w)) for w in (np.arange(4.0), np.arange(4.0), np.arange(4.0) + 1))
    assert one == same != other


def test_code_enters():
    assert digest(closure(WEIGHTS)) != digest(closure(WEIGHTS, power=3))
    kinds = [lambda x: x + 1, lambda x: x + 2, lambda x: x - 1, lambda x, y=0: x + 1, lambda x, y=1: x + 1]
    assert len({digest(kind) for kind in kinds}) == len(kinds)

    class Other(Network):
        def __call__(self, images):
            return images @ self.weights + 1

    assert digest(Other(WEIGHTS)) != digest(Network(WEIGHTS))


def test_globals_that_are_read_enter_and_others_do_not(monkeypatch):
    before = digest(by_global)
    monkeypatch.setitem(globals(), "UNREAD", 3)
    assert digest(by_global) == before
    monkeypatch.setitem(globals(), "WEIGHTS", WEIGHTS + 1)
    assert digest(by_global) != before


def test_values_of_a_users_module_enter(monkeypatch):
    module = types.ModuleType("users_own")
    module.W, module.unread = 1.0, 5
    monkeypatch.setitem(sys.modules, "users_own", module)

    def apply(images):
        import users_own  # pyright: ignore[reportMissingImports]

        return images * users_own.W

    before = digest(apply)
    module.unread = 6
    assert digest(apply) == before
    module.W = 2.0
    assert digest(apply) != before


def test_objects_that_hold_themselves():
    network = Network(WEIGHTS)
    network.me = network
    other = Network(WEIGHTS)
    other.me = other
    assert digest(network) == digest(other)


@pytest.mark.parametrize(
    ("hidden", "named"),
    [
        (np.random.default_rng(0), "numpy.random._generator.Generator"),
        (iter(()), "tuple_iterator"),
        (memoryview(b"x"), "memoryview"),
    ],
)
def test_what_cannot_be_looked_into_is_named(hidden, named):
    with pytest.raises(UnseenError, match=rf"'weights', which .*closure.<locals>.apply has captured is a .*{named}"):
        digest(closure(hidden))


def test_the_hash_is_the_same_in_every_process():
    program = (
        "from tests.models.test_seen import *\n"
        "print(digest(by_global), digest(Network({1.5, 'a', None})), digest(closure(WEIGHTS)))"
    )
    here = f"{digest(by_global)} {digest(Network({1.5, 'a', None}))} {digest(closure(WEIGHTS))}\n"
    environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "1"}
    run = [sys.executable, "-c", program]
    assert subprocess.run(run, capture_output=True, text=True, check=True, env=environment).stdout == here


def test_installed_packages_are_known_by_name_and_version(monkeypatch):
    before = digest(lambda images: np.linalg.norm(images))
    assert seen._installed("numpy.linalg")
    assert not seen._installed("tests.models.test_seen")
    monkeypatch.setattr(np, "__version__", "0")
    assert digest(lambda images: np.linalg.norm(images)) != before
