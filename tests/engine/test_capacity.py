"""Batches that do not fit a device: how that is said, and how those that fit are found."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

import gsmooth_jax as gs
from gsmooth_jax.engine import capacity, device
from gsmooth_jax.engine.device import batch_counter
from gsmooth_jax.engine.kernels import vote_kernel
from tests.known import by_mean, without_time


def counter(classifier, guarantee, execution):
    vote = guarantee.method.vote(guarantee.transform)
    return batch_counter(classifier, vote, seed=guarantee.seed, block=guarantee.block, execution=execution)


EXHAUSTED = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes.")


def program(rows):
    """Stands for a compiled kernel; the compiler itself gives up on the largest."""
    if rows >= 1024:
        raise EXHAUSTED
    return rows


@pytest.mark.parametrize(
    ("free", "devices", "below", "rows"),
    [
        (99, 1, None, 0),
        (110, 1, None, 1),
        (419, 1, None, 16),
        (420, 2, None, 32),
        (1e9, 1, None, 512),
        (1e9, 2, 100, 64),
    ],
)
def test_the_largest_power_of_two_that_fits_is_found(monkeypatch, free, devices, below, rows):
    monkeypatch.setattr(capacity, "needed_bytes", lambda rows: 100 + 10 * rows)
    assert capacity.largest_rows(program, free, devices, below) == rows


def test_auto_fills_the_memory_there_is_and_changes_no_claim(monkeypatch, classifier, guarantee, examples):
    usual = list(gs.certify_stream(classifier, examples[:3], guarantee))
    sizes = {}
    for kib in (64, 128):
        monkeypatch.setattr(capacity, "free_bytes", lambda device, kib=kib: kib * 1024)
        _, sizes[kib] = counter(classifier, guarantee, gs.Execution(rows="auto", devices=2))
    assert 2 <= sizes[64] < sizes[128] <= 4 * sizes[64]
    again = gs.certify_stream(classifier, examples[:3], guarantee, gs.Execution(rows="auto", devices=2))
    assert without_time(again) == without_time(usual)


def test_auto_is_the_default_where_a_device_does_not_say_what_it_has(classifier, guarantee):
    assert counter(classifier, guarantee, gs.Execution(rows="auto"))[1] == 256 // guarantee.block * jax.device_count()


class Full:
    """The kernel on a device without memory."""

    trace = vote_kernel.trace

    def __call__(self, *args, **kwargs):
        raise EXHAUSTED


@pytest.mark.parametrize(
    ("kib", "message"),
    [
        (None, "no memory for a batch of rows=64: fewer rows or a smaller chunk"),
        (128, "no memory for a batch of rows=64: by its compiled size the largest that fits is rows=(8|16|32),"),
        (1, "not even one row a device fits"),
    ],
)
def test_a_batch_that_does_not_fit_says_what_does(monkeypatch, classifier, guarantee, examples, kib, message):
    monkeypatch.setattr(device, "vote_kernel", Full())
    monkeypatch.setattr(capacity, "free_bytes", lambda device: kib and kib * 1024)
    with pytest.raises(MemoryError, match=message):
        list(gs.certify_stream(classifier, examples, guarantee, gs.Execution(rows=64, devices=1)))


@pytest.mark.parametrize(
    ("kib", "votes"),
    [(199, 256), (271, 256), (597, 128), (719, 64), (736, 64), (4096, 16), (0, 256), (10**6, 1)],
)
def test_votes_at_once_on_a_cpu(kib, votes):
    """The first six are networks that were measured; see the constant."""
    assert capacity.votes_on_cpu(kib * 1024) == votes


def test_bytes_of_layers_are_those_of_their_outputs():
    """Inside of loops and calls too; what lies between layers is not counted."""

    def program(x, kernel, matrix):
        x = jax.lax.conv(x, kernel, (1, 1), "SAME")  # [2, 3, 8, 8]: 1536 bytes
        x = jax.nn.relu(x).reshape(2, -1)
        step = jax.jit(lambda x: (jnp.tanh(x @ matrix), None))  # [2, 192]: 1536 bytes
        return jax.lax.scan(lambda x, _: step(x), x, length=5)[0]

    shapes = [jax.ShapeDtypeStruct(s, "float32") for s in ((2, 1, 8, 8), (3, 1, 3, 3), (192, 192))]
    assert capacity.layer_bytes(jax.jit(program).trace(*shapes)) == 2 * 1536


def test_rows_follow_large_inputs_of_a_network_without_layers(guarantee):
    """Four arrays of an image of 3 MiB each."""
    mean = gs.as_classifier(by_mean, (512, 512, 3))
    assert counter(mean, dataclasses.replace(guarantee, block=1), gs.Execution(devices=1))[1] == 4


@pytest.mark.parametrize("chunk", [None, 4])
@pytest.mark.parametrize("devices", [1, 2])
def test_rows_follow_the_networks_layers(monkeypatch, guarantee, chunk, devices):
    """Of a product with 4096 columns each image has 16 KiB, and 1 of its own, whatever the chunk, on each device."""
    wide = gs.as_classifier(lambda x: (x.reshape(len(x), -1) @ jnp.ones((64, 4096), x.dtype))[:, :2], (8, 8, 1))
    monkeypatch.setattr(capacity, "_LAYERS_CPU", 64 * 17 * 1024)
    rows = counter(wide, guarantee, gs.Execution(devices=devices, chunk=chunk))[1]
    assert rows == devices * 64 // guarantee.block
