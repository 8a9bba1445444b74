"""Streams images through the compiled kernel and yields their claims. No file is touched here. Host."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, cast

import jax
import numpy as np
from jax.sharding import Mesh

from gsmooth_jax import _threefry, _validate
from gsmooth_jax.certify import capacity, scheduler, sharding
from gsmooth_jax.certify.config import Execution, Guarantee
from gsmooth_jax.certify.kernels import vote_kernel
from gsmooth_jax.claims import Claim
from gsmooth_jax.estimation.votes import Rows
from gsmooth_jax.models import Classifier
from gsmooth_jax.surrogate import AugmentedNoise
from gsmooth_jax.types import Example, Noise


def certify_stream(
    classifier: Classifier,
    examples: Iterable[Example],
    guarantee: Guarantee,
    execution: Execution | None = None,
    *,
    on_votes: Callable[[int], None] | None = None,
) -> Iterator[Claim]:
    """Certifies a stream of images.

    Another thread lays out cells: what is set by ``with jax.default_device(...)`` and the like does not reach it, what
    is set by ``jax.config.update`` does.

    Args:
      classifier: see ``as_classifier``.
      examples: images [H, W, C] float32 in [0, 1] with id and label; taken only as there is room for them.
      guarantee: what is claimed.
      execution: how the machine is used.
      on_votes: told the votes of each finished batch, for progress bars.

    Yields:
      One claim an image, in the order of the stream.

    Raises:
      ValueError: before any work, a budget that can never certify the region; when its turn comes, an image of another
        shape or dtype, with values outside [0, 1] or NaN, with a label that is no class of the classifier, or whose
        latents are not finite somewhere in the region.
    """
    prove = guarantee.method.proving(guarantee)

    def provers() -> Iterator[scheduler.Prover[Claim]]:
        for example in examples:
            _validate.word(id=example.id)
            _validate.image(example.image, image_id=example.id, shape=classifier.input_shape)
            _validate.label(example.label, image_id=example.id, classes=classifier.classes)
            yield _named(prove, example)

    counter, rows = batch_counter(classifier, guarantee, execution or Execution(), on_votes)
    depth = (execution or Execution()).depth
    aside = guarantee.method.geometric
    return scheduler.run(provers(), counter, rows=rows, block=guarantee.block, depth=depth, aside=aside)


def _named(prove: Callable[[Example], scheduler.Prover[Claim]], example: Example) -> scheduler.Prover[Claim]:
    """The prover of an image, whose numerical failures say which image it was."""
    try:
        return (yield from prove(example))
    except FloatingPointError as error:
        raise ValueError(f"Image {example.id}: {error}") from error


def batch_counter(
    classifier: Classifier,
    guarantee: Guarantee,
    execution: Execution,
    on_votes: Callable[[int], None] | None = None,
) -> tuple[scheduler.BatchCounter, int]:
    """Places weights and noise on the devices; returns what counts a batch of blocks there, and its rows S.

    Weights that the caller has split over a mesh stay as they are; others are copied to each local device.
    """
    kernel = _Kernel.placed(classifier, guarantee, execution)
    rows = kernel.rows(execution.rows)

    def count(blocks: list[scheduler.Block]) -> Callable[[], np.ndarray]:
        with kernel.memory(rows):
            counts = kernel(blocks, rows)

        def wait() -> np.ndarray:
            with kernel.memory(rows):
                result = jax.device_get(counts)
            if on_votes is not None:
                on_votes(int(sum(b.stop - b.start for b in blocks)))
            return result

        return wait

    return count, rows


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Kernel:
    """``vote_kernel`` with all but its rows: what is on the devices, and what it was compiled for."""

    mesh: Mesh
    operands: tuple[Classifier, Noise, jax.Array]  # weights, noise, the run's key
    votes: int
    chunk: int
    depth: int  # batches under way

    @classmethod
    def placed(cls, classifier: Classifier, guarantee: Guarantee, execution: Execution) -> "_Kernel":
        """Raises ValueError where classifier, noise and execution do not fit each other."""
        models = sharding.model_mesh(classifier)
        mesh = models or _row_mesh(execution)
        if models is not None and execution.devices is not None:
            raise ValueError(f"Expected no devices, since the weights are split over a mesh, got {execution.devices=}.")
        groups, chunk = mesh.shape[sharding.ROWS], execution.chunk or guarantee.block
        if isinstance(execution.rows, int) and execution.rows % groups:
            raise ValueError(f"Expected rows to be a multiple of the {groups} devices, got rows={execution.rows}.")
        if guarantee.block % chunk:
            raise ValueError(f"Expected chunk to divide block={guarantee.block}, got {chunk=}.")
        noise, shape = guarantee.method.voting_noise(guarantee.transform), classifier.input_shape
        if isinstance(noise, AugmentedNoise) and noise.image_shape != shape:
            raise ValueError(
                f"Expected a surrogate of the classifier's images {shape}, got one of {noise.image_shape}."
            )
        whole = sharding.replicated(mesh)
        weights = jax.device_put(classifier, whole) if models is None else sharding.as_split(classifier, mesh)
        others = jax.device_put((noise, _threefry.key(guarantee.seed)), whole)
        return cls(mesh=mesh, operands=(weights, *others), votes=guarantee.block, chunk=chunk, depth=execution.depth)

    def __call__(self, blocks: list[scheduler.Block], rows: int) -> jax.Array:
        """Dispatches a batch of at most ``rows`` blocks."""
        # The last batches repeat their last block with stop = start: fixed shapes, no recompilation, no votes.
        padded = blocks + [blocks[-1]._replace(stop=blocks[-1].start)] * (rows - len(blocks))
        centre, image_id, node, phase, start, stop = (np.stack(column) for column in zip(*padded, strict=True))
        names = [a.astype(np.uint32) for a in (image_id, node, phase)]
        indices = [a.astype(np.int32) for a in (start, stop)]
        # The call itself places them, in less time on the host than device_put.
        batch = Rows(*cast(tuple[jax.Array, ...], (centre, *names, *indices)))
        return vote_kernel(*self.operands, batch, mesh=self.mesh, votes=self.votes, chunk=self.chunk)

    def compiled(self, rows: int) -> jax.stages.Compiled:
        """The program for batches of so many rows, whose memory can be asked."""

        def column(dtype: str, *shape: int) -> jax.Array:
            split = sharding.by_rows(self.mesh)
            return jax.ShapeDtypeStruct((rows, *shape), dtype, sharding=split)  # pyright: ignore[reportReturnType]

        names, indices = [column("uint32")] * 3, [column("int32")] * 2
        empty = Rows(column("float32", *self.operands[0].input_shape), *names, *indices)
        lowered = vote_kernel.lower(*self.operands, empty, mesh=self.mesh, votes=self.votes, chunk=self.chunk)
        return lowered.compile()

    def rows(self, asked: int | Literal["auto"] | None) -> int:
        """Rows of a batch: those asked for, or as many as the devices' memory holds."""
        given = self._largest() if asked == "auto" else asked
        if given == 0:
            raise ValueError("Not even one row a device fits its memory: take a smaller chunk.")
        return given or self.mesh.shape[sharding.ROWS] * (8 if jax.default_backend() == "cpu" else 64)

    def _largest(self, below: int | None = None) -> int | None:
        free, groups = capacity.free_bytes(self.mesh.devices.flat[0]), self.mesh.shape[sharding.ROWS]
        return None if free is None else capacity.largest_rows(self.compiled, free // self.depth, groups, below)

    @contextlib.contextmanager
    def memory(self, rows: int) -> Iterator[None]:
        """Turns a device's lack of memory into an error that says how many rows fit."""
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            if not capacity.exhausted(error):
                raise
            raise capacity.refusal(rows, self._largest(rows)) from error


def _row_mesh(execution: Execution) -> Mesh:
    local = jax.local_devices()
    if execution.devices is not None and execution.devices > len(local):
        raise ValueError(f"Expected devices <= {len(local)}, those of this process, got devices={execution.devices}.")
    return sharding.row_mesh(local[: execution.devices])
