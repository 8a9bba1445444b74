"""Places a classifier and its vote on the devices, and counts batches of votes there. Host."""

import atexit
import collections
import contextlib
import dataclasses
import math
from collections.abc import Callable, Iterator
from typing import Literal, cast

import jax
import numpy as np
from jax.sharding import Mesh

from gsmooth_jax import pytrees
from gsmooth_jax.engine import capacity, scheduler, sharding
from gsmooth_jax.engine.execution import Execution
from gsmooth_jax.engine.kernels import vote_kernel
from gsmooth_jax.estimation import _threefry
from gsmooth_jax.estimation.votes import Draws
from gsmooth_jax.models import Model, calls_host, host_failure
from gsmooth_jax.types import Vote

_DRAWN = 4
"""Arrays as large as its input that a vote takes: the centre, bits and normal numbers drawn of them, and the sum."""

_VOTES = 2048
"""Votes of a batch that one device casts at once, but for CPUs, unless ``Execution`` says otherwise."""

_CALLING: collections.deque[jax.Array] = collections.deque(maxlen=8)
"""The last batches of models that are called on the host: a guess may still be at work when nobody needs it."""


@atexit.register
def _settle() -> None:
    """Waits for them: Python, once it has begun to leave, ends a thread that calls it, and with it the process."""
    for counts in _CALLING:
        with contextlib.suppress(Exception):
            counts.block_until_ready()


def batch_counter(
    classifier: Model,
    vote: Vote,
    *,
    seed: int,
    block: int,
    execution: Execution | None = None,
    on_votes: Callable[[int], None] | None = None,
) -> tuple[scheduler.BatchCounter, int]:
    """Places weights and noise on the devices; returns what counts a batch of blocks there, and its rows S.

    Weights that the caller has split over a mesh stay as they are; others are copied to each local device.

    Args:
      classifier: see ``as_classifier``.
      vote: what one draw decides.
      seed: of all draws.
      block: draws that a row is asked for, at most.
      execution: how the machine is used.
      on_votes: told the votes of each finished batch, for progress bars.

    Raises:
      ValueError: execution and devices, or execution and block, do not fit each other.
    """
    execution = execution or Execution()
    kernel = _Kernel.placed(classifier, vote, seed, block, execution)
    rows = kernel.rows(execution.rows)
    hosted = calls_host(classifier)

    def count(blocks: list[Draws]) -> Callable[[], np.ndarray]:
        with kernel.memory(rows):
            counts = kernel(blocks, rows)
        if hosted:
            _CALLING.append(counts)

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
    operands: tuple[Model, Vote, jax.Array]  # weights, the vote's numbers, the run's key
    votes: int
    chunk: int
    in_flight: int  # batches

    @classmethod
    def placed(cls, classifier: Model, vote: Vote, seed: int, block: int, execution: Execution) -> "_Kernel":
        """Raises ValueError where classifier, block and execution do not fit, or as its and the vote's checks."""
        classifier.check()
        pytrees.check(vote=vote)  # also one of somebody's own method
        models = sharding.model_mesh(classifier)
        mesh = models or _row_mesh(execution)
        if models is not None and execution.devices is not None:
            raise ValueError(f"Expected no devices, since the weights are split over a mesh, got {execution.devices=}.")
        groups, chunk = mesh.shape[sharding.ROWS], execution.chunk or block
        if isinstance(execution.rows, int) and execution.rows % groups:
            raise ValueError(f"Expected rows to be a multiple of the {groups} devices, got rows={execution.rows}.")
        if block % chunk:
            raise ValueError(f"Expected chunk to divide {block=}, got {chunk=}.")
        whole = sharding.replicated(mesh)
        weights = jax.device_put(classifier, whole) if models is None else sharding.as_split(classifier, mesh)
        others = jax.device_put((vote, _threefry.key(seed)), whole)
        return cls(mesh=mesh, operands=(weights, *others), votes=block, chunk=chunk, in_flight=execution.in_flight)

    def __call__(self, blocks: list[Draws], rows: int) -> jax.Array:
        """Dispatches a batch of at most ``rows`` blocks."""
        # The last batches repeat their last block with stop = start: fixed shapes, no recompilation, no votes.
        padded = blocks + [blocks[-1]._replace(stop=blocks[-1].start)] * (rows - len(blocks))
        centre, image_id, centre_id, phase, start, stop = (np.stack(column) for column in zip(*padded, strict=True))
        names = [a.astype(np.uint32) for a in (image_id, centre_id, phase)]
        indices = [a.astype(np.int32) for a in (start, stop)]
        # The call itself places them, in less time on the host than device_put.
        batch = Draws(*cast(tuple[jax.Array, ...], (centre, *names, *indices)))
        return vote_kernel(*self.operands, batch, mesh=self.mesh, votes=self.votes, chunk=self.chunk)

    def compiled(self, rows: int) -> jax.stages.Compiled:
        """The program for batches of so many rows, whose memory can be asked."""
        return self._traced(rows).lower().compile()

    def _traced(self, rows: int) -> jax.stages.Traced:

        def column(dtype: str, *shape: int) -> jax.Array:
            split = sharding.by_rows(self.mesh)
            return jax.ShapeDtypeStruct((rows, *shape), dtype, sharding=split)  # pyright: ignore[reportReturnType]

        names, indices = [column("uint32")] * 3, [column("int32")] * 2
        empty = Draws(column("float32", *self.operands[0].input_shape), *names, *indices)
        return vote_kernel.trace(*self.operands, empty, mesh=self.mesh, votes=self.votes, chunk=self.chunk)

    def rows(self, asked: int | Literal["auto"] | None) -> int:
        """Rows of a batch: those asked for, as many as the devices' memory holds, or what is fast."""
        given = self._largest() if asked == "auto" else asked
        if given == 0:
            raise ValueError("Not even one row a device fits its memory: take a smaller chunk.")
        if given is not None:
            return given
        groups, votes = self.mesh.shape[sharding.ROWS], _VOTES
        if jax.default_backend() == "cpu":
            # The program is of one device, which makes a chunk of its row's votes at once.
            layers = capacity.layer_bytes(self._traced(groups)) // self.chunk
            votes = capacity.votes_on_cpu(layers + _DRAWN * 4 * math.prod(self.operands[0].input_shape))
        return groups * max(votes // self.votes, 1)

    def _largest(self, below: int | None = None) -> int | None:
        free, groups = capacity.free_bytes(self.mesh.devices.flat[0]), self.mesh.shape[sharding.ROWS]
        return None if free is None else capacity.largest_rows(self.compiled, free // self.in_flight, groups, below)

    @contextlib.contextmanager
    def memory(self, rows: int) -> Iterator[None]:
        """Turns a device's lack of memory into an error that says how many rows fit; a callback's into its own."""
        try:
            yield
        except jax.errors.JaxRuntimeError as error:
            if failure := host_failure(error):
                raise failure from error
            if not capacity.exhausted(error):
                raise
            raise capacity.refusal(rows, self._largest(rows)) from error


def _row_mesh(execution: Execution) -> Mesh:
    local = jax.local_devices()
    if execution.devices is not None and execution.devices > len(local):
        raise ValueError(f"Expected devices <= {len(local)}, those of this process, got devices={execution.devices}.")
    return sharding.row_mesh(local[: execution.devices])
