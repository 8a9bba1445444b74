"""The scheduler against a device made of NumPy: order, packing, speculation, bounds on what is under way."""

import functools
import subprocess
import sys
import threading

import numpy as np
import pytest

from gsmooth_jax.engine.scheduler import Request, _Running, _Workers, run
from gsmooth_jax.estimation.votes import Draws

BLOCK = 4


class FakeDevice:
    """Counts a block as (draws, sum of indices), so that lost, doubled or misrouted blocks change a result."""

    def __init__(self, rows):
        self.rows, self.batches, self.waiting, self.most_waiting = rows, [], 0, 0

    def __call__(self, blocks: list[Draws]):
        assert 0 < len(blocks) <= self.rows
        keys = [(b.image_id, b.centre_id, b.phase, b.start) for b in blocks]
        assert len(set(keys)) == len(keys)
        self.batches.append(keys)
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        result = np.array([[b.stop - b.start, sum(range(b.start, b.stop)) + 1000 * b.image_id] for b in blocks])

        def wait():
            self.waiting -= 1
            return result

        return wait


def prover(image_id, needs, limit=1000):
    """Asks for ``needs`` draws, a block at a time, and returns (id, draws, index sum)."""
    image = np.zeros((1, 1, 1), np.float32)
    (selection,) = yield [Request(Draws(image, image_id, 0, 0, 0, 6), 6)]
    assert selection.tolist() == [6, 15 + 2000 * image_id]
    total = np.zeros(2, np.int64)
    while total[0] < needs:
        start = int(total[0])
        (counts,) = yield [Request(Draws(image, image_id, 0, 1, start, min(start + BLOCK, limit)), limit)]
        total += counts
    return image_id, int(total[0]), int(total[1]) % 1000


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize(("rows", "in_flight"), [(1, 1), (3, 2), (16, 3)])
def test_results_are_in_order_and_do_not_depend_on_packing(rows, in_flight, threads):
    needs = [4, 40, 8, 100, 4, 4, 12, 60]
    device = FakeDevice(rows)
    provers = (prover(i, n) for i, n in enumerate(needs))
    results = list(run(provers, device, rows=rows, block=BLOCK, in_flight=in_flight, threads=threads))
    assert results == [(i, n, n * (n - 1) // 2 % 1000) for i, n in enumerate(needs)]
    assert device.most_waiting <= in_flight


def test_no_block_is_computed_twice():
    device = FakeDevice(5)
    list(run((prover(i, 30) for i in range(20)), device, rows=5, block=BLOCK))
    blocks = [b for batch in device.batches for b in batch]
    assert len(blocks) == len(set(blocks))


def test_a_last_hard_image_gets_the_whole_device():
    device = FakeDevice(8)
    list(run([prover(0, 960)], device, rows=8, block=BLOCK, in_flight=1))
    # 240 blocks at 8 a batch, besides the selection and the batches that only speculation could have filled.
    assert len(device.batches) <= 240 / 8 + 3
    assert all(len(b) == 8 for b in device.batches[1:-2])


def test_the_stream_is_taken_only_as_there_is_room():
    taken = []

    def provers():
        for i in range(1000):
            taken.append(i)
            yield prover(i, 8 if i else 4000, limit=4000)

    results = run(provers(), FakeDevice(2), rows=2, block=BLOCK, in_flight=2)
    assert next(results)[0] == 0
    assert len(taken) <= 2 * 2 * 2


def test_a_short_last_block_is_asked_for_as_such():
    device = FakeDevice(4)
    assert list(run([prover(0, 10, limit=10)], device, rows=4, block=BLOCK)) == [(0, 10, 45)]


def test_an_error_of_the_device_reaches_the_caller():
    def broken(blocks):
        raise RuntimeError("no device")

    with pytest.raises(RuntimeError, match="no device"):
        list(run([prover(0, 4)], broken, rows=2, block=BLOCK))


def test_batches_are_handed_over_while_a_prover_thinks():
    five = threading.Event()

    class Device(FakeDevice):
        def __call__(self, blocks):
            if len(self.batches) == 5:
                five.set()
            return super().__call__(blocks)

    def slow():
        yield [Request(Draws(np.zeros((1, 1, 1), np.float32), 0, 0, 0, 0, BLOCK), BLOCK)]
        return "thought" if five.wait(timeout=20) else "alone"

    others = [prover(i, 8) for i in range(1, 8)]  # two blocks each to begin with
    assert next(run([slow(), *others], Device(2), rows=2, block=BLOCK, threads=1)) == "thought"


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_an_error_of_a_prover_reaches_the_caller(threads):
    def broken():
        yield [Request(Draws(np.zeros((1, 1, 1), np.float32), 0, 0, 0, 0, BLOCK), BLOCK)]
        raise FloatingPointError("not finite")

    with pytest.raises(FloatingPointError, match="not finite"):
        list(run([broken(), prover(1, 4)], FakeDevice(2), rows=2, block=BLOCK, threads=threads))


def test_the_thread_takes_the_oldest_provers_step_first_and_ends():
    worker, order, released = _Workers(1), [], threading.Event()
    thread = next(t for t in threading.enumerate() if t.name == "provers")
    begun = threading.Event()
    worker.submit(_Running(9, iter(()), BLOCK), lambda: begun.set() or released.wait(timeout=20))
    assert begun.wait(timeout=20)
    for number in (3, 1, 2):
        worker.submit(_Running(number, iter(()), BLOCK), functools.partial(order.append, number))
    released.set()
    assert [worker.take(wait=True)[0].number for _ in range(4)] == [9, 1, 2, 3]
    assert order == [1, 2, 3]
    worker.close()
    assert not thread.is_alive()


def test_a_run_that_nobody_finishes_does_not_keep_the_process():
    code = "from gsmooth_jax.engine.scheduler import _Workers; left = _Workers(2)"
    subprocess.run([sys.executable, "-c", code], timeout=100, check=True)
