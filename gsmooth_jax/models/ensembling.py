"""Several classifiers as one, which smooths better than any of them (Horvath et al., ICLR 2022)."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from gsmooth_jax.models.callables import leaves, qualified
from gsmooth_jax.models.classifier import Classifier
from gsmooth_jax.models.denoised import Behind
from gsmooth_jax.models.host import Called
from gsmooth_jax.models.program import Applied, Foreign
from gsmooth_jax.models.regressor import Model


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


def architectures(model: Model) -> list[dict[str, Any]]:
    """Says of each of a model's members which network it is, or which callable, and which denoiser is before it."""
    return _described(model.apply)


def _described(apply: Any) -> list[dict[str, Any]]:
    if isinstance(apply, Behind):
        (denoiser,) = _described(apply.denoise)
        return [member | {"denoiser": denoiser} for member in _described(apply.classify)]
    if isinstance(apply, _Mean):
        return [entry for member in apply.members for entry in _described(member)]
    return [apply.to_json() if hasattr(apply, "to_json") else {"callable": qualified(apply)}]


def unseen(model: Model) -> list[str]:
    """Says of each part of a model of which nobody can tell what it computes, why: its fingerprint lacks it."""
    return [why for apply in leaves(model.apply) if isinstance(apply, Applied) for why in apply.program.unseen]


def calls_host(model: Model) -> bool:
    """Whether a compiled program of the model calls Python."""
    return any(isinstance(apply, Applied) and apply.program.callbacks for apply in leaves(model.apply))


def differentiable(model: Model) -> bool:
    """Whether a loss of the model's outputs has derivatives: callbacks have none, unless someone gave them a rule."""
    if not calls_host(model):
        return True
    try:
        jax.eval_shape(
            jax.grad(lambda images: model(images).sum()), jax.ShapeDtypeStruct((1, *model.input_shape), "f4")
        )
    except Exception:  # whatever the rule lacks
        return False
    return True


def runtimes_of(model: Model) -> list[str]:
    """Names what runs those members of a model that are called on the host, with the versions."""
    functions = (apply.function for apply in leaves(model.apply) if isinstance(apply, Applied))
    return sorted({f.model.runtime.how for f in functions if isinstance(f, Called)})


def ensemble(members: Sequence[Classifier]) -> Classifier:
    """Returns the classifier whose logits are the mean of the members' log-probabilities; of one member, itself.

    Raises:
      ValueError: no members, or members of different domains, classes or dtypes.
    """
    if not members:
        raise ValueError("Expected at least one classifier, got none.")
    kinds = {(str(m.domain), m.classes, m.dtype) for m in members}
    if len(kinds) > 1:
        raise ValueError(f"Expected members of one domain, number of classes and dtype, got {sorted(kinds)}.")
    if len(members) == 1:
        return members[0]
    return dataclasses.replace(
        members[0],
        variables=tuple(m.variables for m in members),
        apply=_Mean(tuple(m.apply for m in members)),
    )
