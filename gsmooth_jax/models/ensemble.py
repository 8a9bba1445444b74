"""Several classifiers as one, which smooths better than any of them (Horvath et al., ICLR 2022)."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.models.classifier import Classifier
from gsmooth_jax.models.program import Foreign


@dataclasses.dataclass(frozen=True)
class _Mean:
    """The mean of the members' log-probabilities."""

    members: tuple[Callable[[Any, jax.Array], jax.Array], ...]

    def __call__(self, variables: tuple[Any, ...], images: jax.Array) -> jax.Array:
        logits = [member(own, images) for member, own in zip(self.members, variables, strict=True)]
        return jnp.mean(jax.nn.log_softmax(jnp.stack(logits).astype(jnp.float32)), axis=0)

    def astype(self, variables: tuple[Any, ...], dtype: str) -> "_Mean":
        """The same for variables and images of another dtype."""
        recast = [
            member.astype(own, dtype) if isinstance(member, Foreign) else member
            for member, own in zip(self.members, variables, strict=True)
        ]
        return _Mean(tuple(recast))

    def check(self, variables: tuple[Any, ...]) -> None:
        """Raises ValueError where a member is no longer what it was."""
        for member, own in zip(self.members, variables, strict=True):
            if isinstance(member, Foreign):
                member.check(own)


def ensemble(members: Sequence[Classifier]) -> Classifier:
    """Returns the classifier whose logits are the mean of the members' log-probabilities; of one member, itself.

    Raises:
      ValueError: no members, or members of different image shapes, classes or dtypes.
    """
    if not members:
        raise ValueError("Expected at least one classifier, got none.")
    kinds = {(m.input_shape, m.classes, m.dtype) for m in members}
    if len(kinds) > 1:
        raise ValueError(f"Expected members of one image shape, number of classes and dtype, got {sorted(kinds)}.")
    if len(members) == 1:
        return members[0]
    return dataclasses.replace(
        members[0],
        variables=tuple(m.variables for m in members),
        apply=_Mean(tuple(m.apply for m in members)),
    )
