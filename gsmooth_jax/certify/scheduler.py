"""Continuous batching: many images, each needing its own unknown number of votes, one full batch after another.

A *prover* is a generator, one an image: it yields a list of ``Draws`` (the votes that it needs next), is sent their
counts, and returns its claim. The scheduler cuts requests into blocks, packs blocks of all provers under way into
fixed-shape batches, and keeps ``depth`` batches on the device. Rows that no prover needs yet are filled with blocks
that one is likely to ask for next, so a last hard image gets the whole device. A block's counts depend on nothing but
the image, node, phase and index, so neither packing nor speculation can change a claim. Host.
"""

import collections
import dataclasses
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np

R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Draws:
    """A request for the counts of the draws ``start <= index < stop`` of one stream.

    Attributes:
      centre: the smoothing centre: an image [H, W, C], or a latent.
      image_id: the image's id, part of every draw's key.
      node: which smoothing centre of the image.
      phase: ``keys.SELECT`` or ``keys.ESTIMATE``.
      start: a multiple of the block.
      stop: a multiple of the block, or ``limit``.
      limit: one past the last index that this stream may come to ask for.
    """

    centre: np.ndarray
    image_id: int
    node: int
    phase: int
    start: int
    stop: int
    limit: int


Prover = Generator[list[Draws], list[np.ndarray], R]
"""Yields requests, is sent for each the [K + 1] counts summed over it, returns the result."""


class Block(NamedTuple):
    """At most ``block`` draws of one stream: what one row of a batch computes."""

    centre: np.ndarray
    image_id: int
    node: int
    phase: int
    start: int
    stop: int


BatchCounter = Callable[[list[Block]], Callable[[], np.ndarray]]
"""Starts counting up to S blocks on the device; the returned function waits for their [S, K + 1] counts."""


class _Running(Generic[R]):
    """A prover under way: its open requests, and the blocks computed or on the device for its streams."""

    def __init__(self, prover: Prover[R], block: int):
        self._prover = prover
        self._block = block
        self._counts: dict[tuple[int, int, int], np.ndarray] = {}
        self._asked: set[tuple[int, int, int]] = set()
        self.result: list[R] = []
        self._requests = self._advance(None)

    def _advance(self, counts: list[np.ndarray] | None) -> list[Draws]:
        try:
            return next(self._prover) if counts is None else self._prover.send(counts)
        except StopIteration as stop:
            self.result.append(stop.value)
            return []

    def needed(self) -> Iterator[Block]:
        """The blocks of the open requests that nobody has asked the device for."""
        for request in self._requests:
            yield from self._unasked(request, request.start, request.stop)

    def likely(self) -> Iterator[Block]:
        """The blocks behind the open requests."""
        for request in self._requests:
            yield from self._unasked(request, request.stop, request.limit)

    def _unasked(self, request: Draws, start: int, stop: int) -> Iterator[Block]:
        for first in range(start, stop, self._block):
            last = min(first + self._block, request.limit)
            if (request.node, request.phase, first) not in self._asked:
                yield Block(request.centre, request.image_id, request.node, request.phase, first, last)

    def asked(self, block: Block) -> None:
        """Notes that the device is computing a block."""
        self._asked.add((block.node, block.phase, block.start))

    def receive(self, block: Block, counts: np.ndarray) -> None:
        """Takes a block's counts, and lets the prover go on for as long as its requests are complete."""
        self._counts[block.node, block.phase, block.start] = counts
        while self._requests:
            wanted = [[(r.node, r.phase, s) for s in range(r.start, r.stop, self._block)] for r in self._requests]
            if not all(key in self._counts for keys in wanted for key in keys):
                return
            self._asked.difference_update(*wanted)
            self._requests = self._advance(
                [np.stack([self._counts.pop(k) for k in keys]).sum(axis=0) for keys in wanted]
            )


def run(
    provers: Iterable[Prover[R]],
    count: BatchCounter,
    *,
    rows: int,
    block: int,
    depth: int = 2,
    under_way: int | None = None,
) -> Iterator[R]:
    """Runs provers to their end and yields their results in the order of the provers.

    At most ``under_way`` provers are begun or finished and held back for an earlier one, so memory does not grow with
    their number.

    Args:
      provers: one an image; taken only as there is room.
      count: the device.
      rows: most blocks of one batch.
      block: draws a block.
      depth: batches on the device at once.
      under_way: enough to fill them; 2 * depth * rows if None, which suits provers that ask for a block at a time.
    """
    under_way = under_way or 2 * depth * rows
    waiting = iter(provers)
    window: collections.deque[_Running[R]] = collections.deque()
    in_flight: collections.deque[tuple[list[tuple[_Running[R], Block]], Callable[[], np.ndarray]]] = collections.deque()
    exhausted = False
    while True:
        while not exhausted and len(window) < under_way:
            prover = next(waiting, None)
            if prover is None:
                exhausted = True
            else:
                window.append(_Running(prover, block))
        while window and window[0].result:
            yield window.popleft().result[0]
        if not window and exhausted:
            return
        batch = _pack(window, rows) if len(in_flight) < depth else []
        if batch:
            in_flight.append((batch, count([b for _, b in batch])))
        elif in_flight:
            done, wait = in_flight.popleft()
            for (running, block_done), counts in zip(done, wait(), strict=False):
                running.receive(block_done, counts)


def _pack(window: Iterable[_Running[R]], rows: int) -> list[tuple[_Running[R], Block]]:
    """Chooses up to ``rows`` blocks: all that provers need, oldest prover first, then what they are likely to need."""
    batch: list[tuple[_Running[R], Block]] = []
    for blocks in (_Running.needed, _Running.likely):
        for running in window:
            for block in blocks(running):
                if len(batch) == rows:
                    return batch
                batch.append((running, block))
                running.asked(block)
    return batch
