"""Streams images through a method's proofs and yields their claims. No file is touched here. Host."""

import dataclasses
import math
import os
from collections.abc import Callable, Iterable, Iterator

import jax
import numpy as np

from gsmooth_jax import _validate
from gsmooth_jax.claims import Claim
from gsmooth_jax.engine import scheduler, settings, sharding
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.methods.base import Guarantee, vote_of
from gsmooth_jax.methods.prover import prove
from gsmooth_jax.methods.tests import Tests
from gsmooth_jax.models import Classifier, Model, Regressor, host_failure
from gsmooth_jax.transforms import check_domain
from gsmooth_jax.types import Example

_ASKED = 32
"""Votes that an image asks for at a time, more or less."""

_CENTRES, _OPEN_BYTES, _FEW = 2000, 1 << 30, 8
"""Smoothing centres that an image asks for at a time, at most and more or less; what those of all images under way may
take; and how many of these there are however large they are."""


def certify_stream(
    classifier: Model,
    examples: Iterable[Example],
    guarantee: Guarantee,
    execution: Execution | None = None,
    *,
    on_votes: Callable[[int], None] | None = None,
) -> Iterator[Claim]:
    """Certifies a stream of images.

    Other threads lay out parts: what is set by ``with jax.default_device(...)`` and the like does not reach it, what
    is set by ``jax.config.update`` does.

    Args:
      classifier: see ``as_classifier``; or a regressor, for methods about a number.
      examples: inputs of its domain, float32, with id and perhaps a label; taken only as there is room for them.
      guarantee: what is claimed.
      execution: how the machine is used.
      on_votes: told the votes of each finished batch, for progress bars.

    Yields:
      One claim an image, in the order of the stream.

    Raises:
      ValueError: before any work, a budget that can never certify the region, a transform that is not for such inputs,
        or flags with which XLA's arithmetic is not IEEE 754's; when its turn comes, an image of another shape or dtype,
        with values outside the domain's range or NaN, with a label that is no class of the classifier, or whose latents
        are not finite somewhere in the region.
    """
    _validate.kind(Classifier | Regressor, "a classifier or regressor, see as_classifier", classifier=classifier)
    _validate.kind(Guarantee, "a gs.Guarantee", guarantee=guarantee)
    execution = Execution() if execution is None else execution
    _validate.kind(Execution, "a gs.Execution, or None", execution=execution)
    method = guarantee.method
    settings.check()
    check_domain(guarantee.transform, classifier.domain)
    method.check_model(classifier)
    method.requirement(guarantee)
    tests = Tests(guarantee)

    # Once, and not for each input that it is asked about.
    mesh = sharding.model_mesh(classifier)
    placed = jax.device_put(classifier) if mesh is None else sharding.as_split(classifier, mesh)

    def provers() -> Iterator[scheduler.Prover[Claim]]:
        for example in examples:
            check_example(example, classifier)
            yield _named(prove(example, placed, guarantee, tests), example)

    vote = vote_of(guarantee)
    threads = max((os.cpu_count() or 1) // 2, 1) if method.computes else 0
    if vote is None:
        return scheduler.run(provers(), _no_votes, rows=1, block=1, threads=threads, timed=_timed)
    counter, rows = batch_counter(
        classifier, vote, seed=guarantee.seed, block=guarantee.block, execution=execution, on_votes=on_votes
    )
    # A prover asks for many small blocks at a time, or for one that is not small.
    under_way = 2 * execution.in_flight * rows * guarantee.block // (_ASKED if method.computes else guarantee.block)
    if method.computes:
        under_way = min(under_way, max(_OPEN_BYTES // (_CENTRES * 4 * math.prod(classifier.input_shape)), _FEW))
    return scheduler.run(
        provers(),
        counter,
        rows=rows,
        block=guarantee.block,
        in_flight=execution.in_flight,
        under_way=max(under_way, 1),
        threads=threads,
        timed=_timed,
    )


def check_example(example: Example, classifier: Model) -> None:
    """Raises ValueError unless an input is of the model's domain, and its label, if any, one of a classifier's."""
    _validate.word(id=example.id)
    _validate.image(example.image, image_id=example.id, domain=classifier.domain)
    if example.label is not None and isinstance(classifier, Classifier):
        _validate.label(example.label, image_id=example.id, classes=classifier.classes)


def _no_votes(blocks: list[Draws]) -> Callable[[], np.ndarray]:
    raise AssertionError(f"a method without votes asked for {blocks}")


def _timed(claim: Claim, seconds: float) -> Claim:
    return dataclasses.replace(claim, own_seconds=seconds)


def _named(prover: scheduler.Prover[Claim], example: Example) -> scheduler.Prover[Claim]:
    """The prover of an input, whose numerical failures say which it was."""
    try:
        return (yield from prover)
    except FloatingPointError as error:
        raise ValueError(f"Image {example.id}: {error}") from error
    except jax.errors.JaxRuntimeError as error:
        if failure := host_failure(error):
            raise failure from error
        raise
