"""Dataclasses whose numbers are traced, as pytrees that JAX tells apart by their class.

``jax.tree_util.register_dataclass`` leaves the class out of what is compared: to JAX 0.10 the structures of two such
dataclasses with equally many fields, and equal static ones, are equal, and only their hashes differ. A compiled program
is looked up by both, and now and then the program of the other class is found: a claim for Laplace noise, by votes
under normal noise (``tests/engine/test_settings.py`` showed it).
"""

import dataclasses
import functools
from typing import Any, TypeVar

import jax

T = TypeVar("T")


def register(cls: type[T]) -> type[T]:
    """Registers a dataclass as a pytree; for a law, a noise or a vote of your own.

    Its fields are children, traced, but for those with ``metadata={"static": True}``: these, and the class, are its
    structure, and a compiled program is of one structure.
    """
    fields = dataclasses.fields(cls)  # pyright: ignore[reportArgumentType]
    static = tuple(field.name for field in fields if field.metadata.get("static"))
    traced = tuple(field.name for field in fields if field.name not in static)
    keys = tuple(map(jax.tree_util.GetAttrKey, traced))

    def flatten(value: T) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        return tuple(getattr(value, name) for name in traced), tuple(getattr(value, name) for name in static)

    def flatten_with_keys(value: T) -> tuple[tuple[tuple[Any, Any], ...], tuple[Any, ...]]:
        children, structure = flatten(value)
        return tuple(zip(keys, children, strict=True)), structure

    def unflatten(structure: tuple[Any, ...], children: Any) -> T:
        return cls(**dict(zip(static, structure, strict=True)), **dict(zip(traced, children, strict=True)))

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls


def check(**parts: Any) -> None:
    """Raises TypeError where JAX may take a class in one of the pytrees for another one."""
    for name, part in parts.items():
        if found := mistaken(part):
            raise TypeError(
                f"Expected {found.__name__} to be registered by gsmooth_jax.pytrees.register: dataclasses of "
                f"jax.tree_util.register_dataclass are taken for one another by JAX {jax.__version__}, "
                f"got {name}={part!r}."
            )


def mistaken(value: Any) -> type | None:
    """Returns a class in a pytree that JAX may take for another one; None where there is none.

    Of each dataclass in it a twin is made, of another class that ``register_dataclass`` registers: are their structures
    equal, the class was registered so, and the fault is there.
    """
    children, own = jax.tree.flatten(value, is_leaf=lambda leaf: leaf is not value)
    if any(child is value for child in children):  # a leaf
        return None
    if dataclasses.is_dataclass(value) and jax.tree.structure(_twin(len(children), own.node_data()[1])) == own:
        return type(value)
    return next(filter(None, map(mistaken, children)), None)


@functools.lru_cache(maxsize=64)  # a class, once registered, stays
def _twin(children: int, structure: Any) -> Any:
    if not isinstance(structure, tuple):
        return None
    static = {f"static{number}": value for number, value in enumerate(structure)}
    traced = {f"traced{number}": 0.0 for number in range(children)}
    made = dataclasses.make_dataclass("Twin", [*static, *traced])
    jax.tree_util.register_dataclass(made, data_fields=list(traced), meta_fields=list(static))
    return made(**static, **traced)
