"""Two classes are two structures: no compiled program is taken for another's."""

import ast
import dataclasses
import itertools
from pathlib import Path

import jax
import pytest

import gsmooth_jax as gs
from gsmooth_jax import pytrees
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.estimation.votes import ClassVote
from gsmooth_jax.methods.arguments import check_law
from gsmooth_jax.smoothing import SMOOTHINGS
from gsmooth_jax.smoothing.noise import ParameterNoise


@pytrees.register
@dataclasses.dataclass(frozen=True)
class Pair:
    """Two numbers, one of them static."""

    traced: float
    static: int = dataclasses.field(default=0, metadata={"static": True})


@pytrees.register
@dataclasses.dataclass(frozen=True)
class Other(Pair):
    """The same fields."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Plain(gs.Gaussian):
    """A law as JAX would register it."""


@jax.tree_util.register_pytree_node_class
@dataclasses.dataclass(frozen=True)
class Manual:
    """Registered by hand, as JAX allows."""

    traced: object

    def tree_flatten(self):
        return (self.traced,), None

    @classmethod
    def tree_unflatten(cls, _, children):
        return cls(*children)


def test_a_class_is_a_structure_of_its_own():
    pair = Pair(1.0, static=2)
    structure = jax.tree.structure(pair)
    assert structure == jax.tree.structure(Pair(3.0, static=2))
    assert structure != jax.tree.structure(Pair(1.0, static=3))
    assert structure != jax.tree.structure(Other(1.0, static=2))
    assert jax.tree.unflatten(structure, [4.0]) == Pair(4.0, static=2)
    ((path, leaf),) = jax.tree.leaves_with_path(pair)
    assert (jax.tree_util.keystr(path), leaf) == (".traced", 1.0)


def test_no_law_is_taken_for_another():
    alike = [law(sigma=0.5) for law in (gs.Gaussian, gs.FoldedGaussian, gs.LogNormal)]
    alike += [law(scale=0.5) for law in (gs.Laplace, gs.Exponential, gs.Rayleigh)]
    for one, other in itertools.combinations(alike, 2):
        assert jax.tree.structure(one) != jax.tree.structure(other)
    assert {type(law) for law in alike} <= set(SMOOTHINGS.values())


def test_nothing_is_registered_otherwise():
    root = Path(gs.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if path.name != "pytrees.py":
            names = [node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)]
            assert "register_dataclass" not in names, path


def test_what_jax_tells_apart_passes():
    for sound in (1.0, None, "text", (Pair(1.0), [Manual(2.0)]), gs.Gaussian(sigma=0.5), object()):
        assert pytrees.mistaken(sound) is None


def test_a_class_that_jax_may_mistake_is_found_and_refused():
    law = Plain(sigma=0.5)
    if jax.tree.structure(law) != jax.tree.structure(pytrees._twin(1, ())):
        pytest.skip("this JAX compares classes, so there is nothing to refuse")
    assert pytrees.mistaken(law) is Plain
    assert pytrees.mistaken((1.0, {"law": Manual([law])})) is Plain
    with pytest.raises(TypeError, match=r"Plain to be registered by gsmooth_jax\.pytrees\.register.* got law=Plain"):
        check_law(law=law)
    vote = ClassVote(noise=ParameterNoise(transform=gs.transforms.Brightness(), law=law))
    classifier = gs.as_classifier(lambda images: images.mean(axis=(1, 2)), (2, 2, 3))
    with pytest.raises(TypeError, match=r"Plain to be registered by .* got vote=ClassVote"):
        batch_counter(classifier, vote, seed=0, block=8)
