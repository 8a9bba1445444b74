"""What every transform promises: ``check_transform``, one call in each test file, and images to test on."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from gsmooth_jax.transforms import check_domain, composition_defect, describe, parse, states
from gsmooth_jax.types import (
    Chainable,
    Computed,
    Domain,
    EntryBounded,
    FiniteValued,
    Float32Bounded,
    LipschitzBounded,
    Transform,
    param_dim,
)

_IMAGES, _OTHER_SHAPE = Domain((9, 7, 3)), Domain((6, 8, 1))
_WAVEFORMS = Domain((160,), -1.0, 1.0)


@functools.partial(jax.jit, static_argnums=0)
def apply(transform: Transform, image: jax.Array, theta: jax.Array) -> jax.Array:
    """The transform, compiled once for each transform and shape of the whole suite."""
    return transform(image, theta)


def check_transform(transform: Transform, *, law_tolerance: float = 2e-5, at_identity=lambda image: image) -> None:
    """Shape, dtype, identity, vmap = loop, jit = eager, finite derivatives, the declared law, and proved bounds.

    All of it on images [H, W, C] in [0, 1] and on waveforms [T] in [-1, 1], or on those of the two that it takes.

    Args:
      transform: of the catalogue, or a composition.
      law_tolerance: L2 distance that the declared composition law may miss by, in float32, on inputs of up to 189
        entries.
      at_identity: what the transform does at parameter 0, where that is not nothing.
    """
    _check_metadata(transform)
    refusals = {domain: _refusal(transform, domain) for domain in (_IMAGES, _WAVEFORMS)}
    assert not all(refusals.values()), f"it takes neither images nor waveforms: {refusals[_IMAGES]}"
    for domain, refusal in refusals.items():
        if not refusal:
            _check_inputs(transform, domain, law_tolerance, at_identity)
    if not refusals[_IMAGES]:
        shape = _OTHER_SHAPE.shape
        thetas = _thetas(transform, shape, np.random.default_rng(2), 1)
        out = apply(transform, _inputs(_OTHER_SHAPE, 2)[1], thetas[0])
        assert out.shape == shape
        assert np.isfinite(out).all()


def _refusal(transform: Transform, domain: Domain) -> str:
    """Why a transform does not take inputs of a domain; empty if it does."""
    try:
        check_domain(transform, domain)
    except ValueError as error:
        return str(error)
    return ""


def _check_inputs(transform: Transform, domain: Domain, law_tolerance: float, at_identity) -> None:
    shape = domain.shape
    images, thetas = _inputs(domain, 3), _thetas(transform, shape, np.random.default_rng(1), 3)
    thetas[0] = _per_entry(transform, shape, [0.0] * len(transform.params))
    images[1, 0] = 0.0  # black pixels: logarithms and powers must survive them
    out, change = _value_and_change(transform, images, thetas)
    assert out.shape == images.shape
    assert out.dtype == jnp.float32
    assert np.isfinite(change).all()
    np.testing.assert_allclose(out[0], at_identity(images[0]), atol=1e-6)
    alone = transform(jnp.asarray(images[1]), jnp.asarray(thetas[1]))  # neither compiled as a whole nor in a batch
    np.testing.assert_allclose(out[1], alone, atol=1e-5)
    for index in (i for i, p in enumerate(transform.params) if p.offset):
        changed = thetas.copy()
        changed[:, index] = thetas[::-1, index]
        apart = np.asarray(_value_and_change(transform, images, changed)[0] - out).reshape(len(images), -1)
        assert np.ptp(apart, axis=1).max() < 1e-6, f"{transform.params[index].name} is no offset"

    if transform.group != "none":
        defect = composition_defect(transform, jnp.asarray(images), jax.random.key(3), pairs=8)
        assert defect <= law_tolerance, f"composition law missed by {defect} in L2"
    if states(transform, LipschitzBounded):
        _check_lipschitz(transform, domain)
    if states(transform, EntryBounded):
        _check_entry_speeds(transform, domain)
    if states(transform, Chainable):
        _check_sensitivity(transform, domain)
    if isinstance(transform, FiniteValued):
        _check_representatives(transform, domain)
    if states(transform, Float32Bounded):
        _check_float32(transform, images[1], thetas)


@functools.partial(jax.jit, static_argnums=0)
def _value_and_change(transform: Transform, images: jax.Array, thetas: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.jvp(jax.vmap(transform), (images, thetas), (images, jnp.ones_like(thetas)))


@functools.partial(jax.jit, static_argnums=0)
def _outputs_and_bounds(transform, image: jax.Array, points: jax.Array, low: jax.Array, high: jax.Array):
    """Outputs [B, N, H, W, C] at points [B, N, P], and bounds [B, P] on the boxes."""
    bounds = jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0))(image, low, high)
    return _outputs(transform, image, points), bounds


@functools.partial(jax.jit, static_argnums=0)
def _outputs(transform, image: jax.Array, points: jax.Array) -> jax.Array:
    return jax.vmap(jax.vmap(transform, in_axes=(None, 0)), in_axes=(None, 0))(image, points)


@functools.partial(jax.jit, static_argnums=0)
def entry_speeds(transform, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
    """[B, P, H, W, C] bounds on boxes [B, P]."""
    return jax.vmap(transform.entry_speeds_upper, in_axes=(None, 0, 0))(image, low, high)


def _check_metadata(transform: Any) -> None:
    assert hash(transform) == hash(dataclasses.replace(transform))
    assert isinstance(transform, Transform)
    assert parse(describe(transform)) == transform
    assert len({p.name for p in transform.params}) == len(transform.params) == len(transform.typical)
    for p, (low, high) in zip(transform.params, transform.typical, strict=True):
        assert p.unit
        assert p.low <= low <= 0.0 <= high <= p.high


def _check_lipschitz(transform: LipschitzBounded, domain: Domain) -> None:
    """|T(xi) - T(xi')|_2 <= sum_j L_j |xi_j - xi'_j| on boxes from a thousandth of the typical range to all of it."""
    low, high, inside = _boxes(transform, domain.shape)
    boxes, points, _ = inside.shape
    for image in _inputs(domain, 3):
        evaluated = _outputs_and_bounds(transform, image, inside, low, high)
        outputs, bound = (np.asarray(a, np.float64) for a in evaluated)
        assert bound.shape == low.shape
        assert np.isfinite(bound).all()
        moved = np.linalg.norm((outputs[:, :, None] - outputs[:, None, :]).reshape(boxes, points, points, -1), axis=-1)
        steps = np.abs(inside[:, :, None].astype(np.float64) - inside[:, None, :])
        excess = moved - np.einsum("bpqj,bj->bpq", steps, bound)
        assert excess.max() <= 1e-5, f"moved {excess.max()} further than the bound"  # float32 noise of two images


def _check_entry_speeds(transform: EntryBounded, domain: Domain) -> None:
    """|T(xi)_e - T(xi')_e| <= sum_j v_je |xi_j - xi'_j| on the same boxes."""
    low, high, inside = _boxes(transform, domain.shape)
    steps = np.abs(inside[:, :, None].astype(np.float64) - inside[:, None, :])
    for image in _inputs(domain, 3):
        speeds = np.asarray(entry_speeds(transform, image, low, high), np.float64)
        assert speeds.shape == (*low.shape, *domain.shape)
        assert np.isfinite(speeds).all()
        assert speeds.min(initial=0.0) >= 0.0
        outputs = np.asarray(_outputs(transform, image, inside), np.float64)
        moved = np.abs(outputs[:, :, None] - outputs[:, None, :])
        excess = moved - np.einsum("bpqj,bj...->bpq...", steps, speeds)
        assert excess.max() <= 5e-6, f"an entry moved {excess.max()} further than its bound"  # float32 noise


def _check_sensitivity(transform: Chainable, domain: Domain) -> None:
    """|T(y', xi) - T(y, xi)|_2 <= a |y' - y|_2, and the bound on the speed grows by g |y' - y|_2, on the same boxes."""
    shape = domain.shape
    low, high, inside = _boxes(transform, shape)
    bound = jax.jit(jax.vmap(functools.partial(transform.sensitivity_upper, shape)))
    apart, growth = (np.zeros_like(low) if b is None else np.asarray(b, np.float64) for b in bound(low, high))
    board = (-1.0) ** np.indices(shape)[:2].sum(axis=0)
    corner, noise = np.zeros(shape), np.random.default_rng(6).normal(size=shape)
    corner[(0,) * min(len(shape), 2)] = 1.0
    image = _inputs(domain, 1)[0]
    others = [image + np.float32(0.3 * np.broadcast_to(way, shape)) for way in (board, corner, noise, np.ones(shape))]
    outputs = np.stack([np.asarray(_outputs(transform, i, inside), np.float64) for i in (image, *others)])
    outputs = outputs.reshape(*outputs.shape[:3], -1)  # [images, B, N, H W C]
    ways = np.array([np.linalg.norm(other.astype(np.float64) - image) for other in others])
    driven = np.linalg.norm(outputs[1:] - outputs[0], axis=-1)  # [others, B, N]
    excess = driven - ways[:, None, None] * apart[:, None]
    assert excess.max() <= 1e-5, f"images are driven apart {excess.max()} further than said"
    if states(transform, LipschitzBounded) and low.shape[1]:
        speeds = jax.jit(jax.vmap(transform.lipschitz_upper, in_axes=(None, 0, 0)))
        upper = np.asarray(speeds(image, low, high), np.float64) + ways[:, None, None] * growth  # [others, B, P]
        steps = np.abs(np.diff(inside.astype(np.float64), axis=1))
        moved = np.linalg.norm(np.diff(outputs[1:], axis=2), axis=-1)
        excess = moved - np.einsum("bnp,obp->obn", steps, upper)
        assert excess.max() <= 1e-5, f"another image moved {excess.max()} further than the bound has grown"


def _boxes(transform, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners [B, P] of boxes, from a thousandth of the typical range to all of it, and points [B, N, P] in them.

    Two hold the identity: all of the range, and a thousandth of it, where a tight bound is nearly reached.
    """
    rng = np.random.default_rng(4)
    boxes, points = 12, 6
    ends = np.sort(_thetas(transform, shape, rng, 2 * boxes).reshape(boxes, 2, -1), axis=1)
    middle, half = ends.mean(axis=1), (ends[:, 1] - ends[:, 0]) / 2 * 10.0 ** rng.uniform(-3, 0, (boxes, 1))
    low, high = (middle - half).astype(np.float32), (middle + half).astype(np.float32)
    low[0], high[0] = (_per_entry(transform, shape, [r[end] for r in transform.typical]) for end in (0, 1))
    low[1], high[1] = 1e-3 * low[0], 1e-3 * high[0]
    inside = rng.uniform(size=(boxes, points, low.shape[1])).astype(np.float32) * (high - low)[:, None] + low[:, None]
    inside = np.concatenate([low[:, None], inside, high[:, None]], axis=1)
    return low, high, np.clip(inside, low[:, None], high[:, None])


def _check_float32(transform: Float32Bounded, image: np.ndarray, thetas: np.ndarray) -> None:
    """What the same program gives in float64 is as near as it says: necessary, as its constants may be float32."""
    ends = thetas.min(axis=0).astype(np.float64), thetas.max(axis=0).astype(np.float64)
    try:
        bound = transform.float32_upper(Computed.of(image), *ends)
    except ValueError as error:
        assert "states none" in str(error)  # noqa: PT017 (a composition need not have one)
        return
    single = np.asarray(jax.vmap(lambda t: apply(transform, image, t))(thetas), np.float64)  # pyright: ignore
    with jax.enable_x64(True):
        doubly = jax.jit(jax.vmap(transform, in_axes=(None, 0)))  # pyright: ignore[reportArgumentType]
        double = np.asarray(doubly(jnp.asarray(image, jnp.float64), jnp.asarray(thetas, jnp.float64)))
    apart = np.abs(single - double)
    assert double.dtype == np.float64
    assert apart.max() <= bound.entry, f"float32 takes an entry {apart.max()} away, said was {bound.entry}"
    assert np.linalg.norm(apart.reshape(len(thetas), -1), axis=1).max() <= bound.error
    assert bound.low - bound.entry <= single.min()
    assert single.max() <= bound.high + bound.entry


def _check_representatives(transform: Any, domain: Domain) -> None:
    """Every output on a box is the output of one of its representatives."""
    rng = np.random.default_rng(5)
    low, high = np.sort(_thetas(transform, domain.shape, rng, 2), axis=0).astype(np.float64)
    chosen = transform.representatives(domain.shape, low, high)
    assert chosen.dtype == np.float64
    assert ((low <= chosen) & (chosen <= high)).all() or all(p.whole for p in transform.params)
    anywhere = rng.uniform(low, high, (64, len(low)))
    outputs = jax.jit(jax.vmap(transform, in_axes=(None, 0)))(
        _inputs(domain, 1)[0], np.concatenate([anywhere, chosen]).astype(np.float32)
    )
    anywhere, listed = np.asarray(outputs[:64]), np.asarray(outputs[64:])
    distance = np.abs(anywhere[:, None] - listed[None]).reshape(len(anywhere), len(listed), -1).max(axis=2)
    assert distance.min(axis=1).max() <= 1e-6


def _inputs(domain: Domain, count: int) -> np.ndarray:
    """[count, ...] in the domain: noise, a ramp along both axes of an image or the one of a waveform, and mixtures."""
    axes = domain.shape[:2]
    noise = np.random.default_rng(0).uniform(size=(count, *domain.shape))
    ramp = functools.reduce(np.add.outer, [np.linspace(0, 1 / len(axes), n) for n in axes])
    ramp = ramp.reshape(*axes, *(1 for _ in domain.shape[2:]))
    share = np.linspace(0.0, 1.0, count).reshape(count, *(1 for _ in domain.shape))
    return (domain.low + (domain.high - domain.low) * ((1 - share) * noise + share * ramp)).astype(np.float32)


def _thetas(transform, shape: tuple[int, ...], rng: np.random.Generator, count: int) -> np.ndarray:
    """[count, P] uniform in the typical range."""
    low, high = (_per_entry(transform, shape, [r[end] for r in transform.typical]) for end in (0, 1))
    return rng.uniform(low, high, (count, param_dim(transform, shape))).astype(np.float32)


def _per_entry(transform: Transform, shape: tuple[int, ...], values: list[float]) -> np.ndarray:
    """[P]: one value a parameter, repeated where the parameter has one number a pixel."""
    counts = [int(np.prod(shape)) if p.per_pixel else 1 for p in transform.params]
    return np.repeat(np.asarray(values, np.float32), counts)


def smooth_image(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """[H, W, C] in [0, 1] with the 1/f amplitude spectrum of photographs."""
    h, w, _ = shape
    frequency = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.fftfreq(w)[None, :])
    spectrum = np.fft.fft2(np.random.default_rng(seed).normal(size=shape), axes=(0, 1))
    image = np.fft.ifft2(spectrum / np.maximum(frequency, 0.5 / max(h, w))[:, :, None], axes=(0, 1)).real
    return ((image - image.min()) / (image.max() - image.min())).astype(np.float32)


def tightness(transform, image: np.ndarray, low: list[float], high: list[float]) -> float:
    """The measured L2 distance between the ends of a box, over the bound on it; at most 1."""
    ends = np.array([[low, high]], np.float32)
    outputs, bound = (np.asarray(a) for a in _outputs_and_bounds(transform, image, ends, ends[:, 0], ends[:, 1]))
    return float(np.linalg.norm(outputs[0, 1] - outputs[0, 0]) / (bound[0] @ (ends[0, 1] - ends[0, 0])))


def read_bilinear(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """SciPy's bilinear read of an image [H, W, C] extended by zeros, at coordinates [H, W]."""
    return np.stack(
        [ndimage.map_coordinates(image[:, :, c], [y, x], order=1, mode="grid-constant") for c in range(image.shape[2])],
        axis=2,
    )


def grid(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Each pixel's offset (y, x) from the centre [H, W], and the centre."""
    cy, cx = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    y, x = np.meshgrid(np.arange(shape[0]) - cy, np.arange(shape[1]) - cx, indexing="ij")
    return y, x, cy, cx
