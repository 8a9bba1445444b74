"""Continuous batching: many images, each needing its own unknown number of votes, one full batch after another.

A *prover* is a generator, one an image: it yields a list of ``Request`` (the votes that it needs next), is sent their
counts, and returns its claim. The scheduler cuts requests into blocks, packs blocks of all provers under way into
fixed-shape batches, and keeps ``in_flight`` batches on the device. Rows that no prover needs yet are filled with blocks
that one is likely to ask for next, so a last hard image gets the whole device. Provers that ask the device for more
than votes (cover's geometry) are advanced by other threads, so batches are handed over meanwhile. A block's counts
depend on nothing but the image, centre, phase and index, so no packing, speculation or thread can change a claim. Host.
"""

import collections
import functools
import itertools
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from gsmooth_jax.estimation.votes import Draws

R = TypeVar("R")


class Request(NamedTuple):
    """Draws whose counts a prover needs next.

    Attributes:
      draws: start is a multiple of the block; stop is one too, or ``limit``.
      limit: one past the last index that this stream may come to ask for.
    """

    draws: Draws
    limit: int


Prover = Generator[list[Request], list[np.ndarray], R]
"""Yields requests, is sent for each the [E] counts of the vote's events summed over it, returns the result."""

BatchCounter = Callable[[list[Draws]], Callable[[], np.ndarray]]
"""Starts counting up to S blocks, each of one stream, on the device; the function returned waits for [S, E] counts."""


class _Running(Generic[R]):
    """A prover under way: its open requests, and the blocks computed or on the device for its streams."""

    def __init__(self, number: int, prover: Prover[R], block: int):
        self.number = number
        self._prover = prover
        self._block = block
        self._begun = False
        self._requests: list[Request] = []
        self._counts: dict[tuple[int, int, int], np.ndarray] = {}
        self._asked: set[tuple[int, int, int]] = set()
        self._missing: set[tuple[int, int, int]] = set()
        self.needed: collections.deque[Draws] = collections.deque()  # of the open requests, not on the device yet
        self.likely: Iterator[Draws] = iter(())  # the blocks behind them
        self.result: list[R] = []
        self._device = self._own = 0.0  # seconds: two, since two threads add to them

    @property
    def seconds(self) -> float:
        """What it has taken: its share of the device's time, and its own steps."""
        return self._device + self._own

    def next_step(self) -> Callable[[], list[Request]] | None:
        """Returns what advances the prover, to be called on any thread; None where it still lacks counts."""
        if not self._begun:
            self._begun = True
            return functools.partial(self._timed, functools.partial(next, self._prover))
        if not self._requests or self._missing:
            return None
        wanted = [self._keys(r) for r in self._requests]
        self._asked.difference_update(*wanted)
        self._requests = []
        self.likely = iter(())
        complete = [np.stack([self._counts.pop(k) for k in keys]).sum(axis=0) for keys in wanted]
        return functools.partial(self._timed, functools.partial(self._prover.send, complete))

    def _timed(self, step: Callable[[], list[Request]]) -> list[Request]:
        began = time.perf_counter()
        try:
            return step()
        finally:
            self._own += time.perf_counter() - began

    def settle(self, end: "_End") -> None:
        """Takes what a step has come to: the prover's next requests, its result, or its error, which it raises."""
        if isinstance(end, StopIteration):
            self.result.append(end.value)
        elif isinstance(end, BaseException):
            raise end
        else:
            self._requests = end
        self._missing = {key for r in self._requests for key in self._keys(r)}.difference(self._counts)
        self.needed.extend(b for r in self._requests for first in self._firsts(r) for b in self._unasked(r, first))
        self.likely = self._behind(self._requests)

    def asked(self, block: Draws) -> Draws:
        """Notes that the device is computing a block."""
        self._asked.add((block.centre_id, block.phase, block.start))
        return block

    def receive(self, block: Draws, counts: np.ndarray, seconds: float) -> None:
        """Takes a block's counts, and the time that they have taken."""
        self._device += seconds
        key = (block.centre_id, block.phase, block.start)
        self._counts[key] = counts
        self._missing.discard(key)

    def _firsts(self, request: Request) -> range:
        return range(request.draws.start, request.draws.stop, self._block)

    def _keys(self, request: Request) -> list[tuple[int, int, int]]:
        return [(request.draws.centre_id, request.draws.phase, first) for first in self._firsts(request)]

    def _behind(self, requests: list[Request]) -> Iterator[Draws]:
        """The blocks that would come next: the first one of every request, the second one of every request, ..."""
        for further in itertools.count(step=self._block):
            left = [r for r in requests if r.draws.stop + further < r.limit]
            if not left:
                return
            for request in left:
                yield from self._unasked(request, request.draws.stop + further)

    def _unasked(self, request: Request, first: int) -> Iterator[Draws]:
        """The block that begins there, unless the device has been asked for it."""
        if (request.draws.centre_id, request.draws.phase, first) not in self._asked:
            last = min(first + self._block, request.limit)
            yield request.draws._replace(start=first, stop=last)


_End = list[Request] | BaseException


def _end(step: Callable[[], list[Request]]) -> _End:
    """Takes a step; returns what it has come to, so that the thread that asked for it can raise it."""
    try:
        return step()
    except BaseException as error:
        return error


class _Workers(Generic[R]):
    """Threads that take steps, those of the oldest prover first."""

    def __init__(self, threads: int) -> None:
        self._todo: queue.PriorityQueue[tuple[int, _Running[R] | None, Callable[[], list[Request]]]] = (
            queue.PriorityQueue()
        )
        self._ends: queue.SimpleQueue[tuple[_Running[R], _End]] = queue.SimpleQueue()
        self.open = 0
        # Daemons: a generator that nobody finishes or closes must not keep the process.
        self._threads = [threading.Thread(target=self._work, name="provers", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, running: _Running[R], step: Callable[[], list[Request]]) -> None:
        """Has a step taken; a prover has no more than one at a time."""
        self._todo.put((running.number, running, step))
        self.open += 1

    def take(self, *, wait: bool) -> tuple[_Running[R], _End] | None:
        """Returns one prover's step that has come to its end; None if none has and none is waited for."""
        try:
            taken = self._ends.get(block=wait)
        except queue.Empty:
            return None
        self.open -= 1
        return taken

    def close(self) -> None:
        """Drops the steps not begun and waits for those that are: nobody leaves the device's library half way."""
        for number in range(len(self._threads)):
            self._todo.put((-1 - number, None, list))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            _, running, step = self._todo.get()
            if running is None:
                return
            self._ends.put((running, _end(step)))


def run(
    provers: Iterable[Prover[R]],
    count: BatchCounter,
    *,
    rows: int,
    block: int,
    in_flight: int = 2,
    under_way: int | None = None,
    threads: int = 0,
    timed: Callable[[R, float], R] | None = None,
) -> Iterator[R]:
    """Runs provers to their end and yields their results in the order of the provers.

    At most ``under_way`` provers are begun or finished and held back for an earlier one, so memory does not grow with
    their number.

    Args:
      provers: one an image; taken only as there is room.
      count: the device.
      rows: most blocks of one batch.
      block: draws a block.
      in_flight: batches on the device at once.
      under_way: enough to fill them; 2 * in_flight * rows if None, which suits provers that ask for a block at a time.
      threads: that advance provers, for those that call the device themselves. For cheap provers the hand-over costs
        more than it saves.
      timed: gets each result with the seconds that were its own, and returns what to yield: its prover's steps, and of
        each batch's time on the device the share of its rows, those on a guess included.
    """
    under_way = under_way or 2 * in_flight * rows
    waiting = (_Running(number, prover, block) for number, prover in enumerate(provers))
    window: collections.deque[_Running[R]] = collections.deque()
    dispatched: collections.deque[tuple[list[tuple[_Running[R], Draws]], Callable[[], np.ndarray], float]] = (
        collections.deque()
    )
    free = 0.0  # since when the device has nothing before the oldest batch under way
    workers: _Workers[R] | None = _Workers(threads) if threads else None

    def advance(running: _Running[R]) -> None:
        while step := running.next_step():
            if workers is not None:
                workers.submit(running, step)
                return
            running.settle(_end(step))

    def settle(*, wait: bool) -> bool:
        taken = workers.take(wait=wait) if workers is not None else None
        if taken is None:
            return False
        running, end = taken
        running.settle(end)
        advance(running)
        return True

    try:
        while True:
            while settle(wait=False):
                pass
            while window and window[0].result:
                finished = window.popleft()
                yield timed(finished.result[0], finished.seconds) if timed else finished.result[0]
            while len(window) < under_way and (begun := next(waiting, None)):
                window.append(begun)
                advance(begun)
            if not window:
                return
            # Behind a batch under way, no rows go to guesses: provers at work will soon need them.
            thinking = workers.open if workers is not None else 0
            patient = thinking and dispatched and sum(len(running.needed) for running in window) < rows
            batch = _pack(window, rows) if len(dispatched) < in_flight and not patient else []
            if batch:
                dispatched.append((batch, count([b for _, b in batch]), time.perf_counter()))
            elif thinking and len(dispatched) < in_flight:
                settle(wait=True)
            elif dispatched:
                done, wait, begun = dispatched.popleft()
                answers, now = wait(), time.perf_counter()
                seconds, free = (now - max(begun, free)) / len(done), now
                for (running, counted), counts in zip(done, answers, strict=False):
                    running.receive(counted, counts, seconds)
                for running in dict.fromkeys(running for running, _ in done):
                    advance(running)
    finally:
        if workers is not None:
            workers.close()


def _pack(window: Iterable[_Running[R]], rows: int) -> list[tuple[_Running[R], Draws]]:
    """Takes up to ``rows`` blocks: all that provers need, oldest prover first, then what they are likely to need."""
    needed = ((running, running.needed.popleft()) for running in window for _ in range(len(running.needed)))
    likely = ((running, block) for running in window for block in running.likely)
    chosen = itertools.islice(itertools.chain(needed, likely), rows)
    return [(running, running.asked(block)) for running, block in chosen]
