import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gsmooth_jax.training import optimizers
from gsmooth_jax.training.config import TrainConfig
from gsmooth_jax.training.step import Recipe

_PARAMS = {
    "conv": jax.random.normal(jax.random.key(0), (3, 3, 4, 8)),
    "dense": jax.random.normal(jax.random.key(1), (8, 3)),
    "bias": jnp.ones(3),
}
_GRADIENT = jax.tree.map(lambda p: 0.3 * jnp.cos(7 * p), _PARAMS)


def _step(name, decay=0.0, share=1.0, rate=0.1):
    rule = optimizers.build(name, lambda step: share + 0.0 * step, rate, decay)
    updates, _ = rule.update(_GRADIENT, rule.init(_PARAMS), _PARAMS)
    return optax.apply_updates(_PARAMS, updates)


def test_muon_turns_a_kernel_by_the_learning_rate_and_keeps_its_norm():
    before, after, gradient = (
        np.asarray(a["conv"], np.float64).reshape(36, 8) for a in (_PARAMS, _step("muon"), _GRADIENT)
    )
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), rel=1e-5)
    left, _, right = np.linalg.svd(gradient, full_matrices=False)
    orthogonal = left @ right
    # The kernel minus 0.1 times a nearly orthogonal matrix, whose singular values the iteration brings to between
    # 0.7 and 1.2 (Jordan et al. 2024), is what the new kernel is a multiple of.
    inner = np.vdot(before, before), np.vdot(before, orthogonal), np.vdot(before, after)
    turned, expected = after - before * inner[2] / inner[0], before * inner[1] / inner[0] - orthogonal
    assert np.vdot(turned, expected) > 0.95 * np.linalg.norm(turned) * np.linalg.norm(expected)
    assert 0.7 < np.linalg.norm(turned) * inner[0] / inner[2] / (0.1 * np.linalg.norm(expected)) < 1.2


def test_muon_leaves_the_rest_to_adam():
    moved = _step("muon", rate=5.0)
    for name in ("dense", "bias"):
        # Adam's first step: its rate against the gradient's sign.
        change = np.asarray(moved[name] - _PARAMS[name])
        np.testing.assert_array_equal(np.sign(change), -np.sign(_GRADIENT[name]))
        assert np.abs(change).max() < 3 * optimizers.RATES["adam"]


@pytest.mark.parametrize("name", sorted(optimizers.RATES))
def test_without_a_rate_nothing_moves(name):
    for before, after in zip(*map(jax.tree.leaves, (_PARAMS, _step(name, 1e-2, share=0.0))), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-6)


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_only_matrices_are_decayed(name):
    plain, decayed = _step(name), _step(name, 1e-2)
    np.testing.assert_array_equal(plain["bias"], decayed["bias"])
    assert (np.abs(plain["conv"] - decayed["conv"]) > 0).any()


@pytest.mark.parametrize(
    ("arch", "optimizer"),
    [
        ("convnet", "adam"),
        ("convnet(widths=(4, 6))", "adam"),
        ("resnet20", "sgd"),
        ("speed_net", "muon"),
        ("speed_net(mirror=True)", "muon"),
        ("audio_net(rate=8000)", "adam"),
    ],
)
def test_auto_goes_by_the_network_and_not_by_its_options(arch, optimizer):
    assert Recipe.build(TrainConfig(out="unused", arch=arch), 10).optimizer == optimizer
    assert Recipe.build(TrainConfig(out="unused", arch=arch, optimizer="sgd"), 10).optimizer == "sgd"
