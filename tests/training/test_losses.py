import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from gsmooth_jax.training import losses

_LOGITS = 4 * np.random.default_rng(0).normal(size=(2, 5, 7)).astype(np.float32)
_LABELS = np.arange(5, dtype=np.int32)


def _mean_prediction():
    return special.softmax(_LOGITS, axis=-1).mean(axis=0)


def test_divergence_is_zero_for_equal_draws():
    logits = jnp.asarray(_LOGITS[:1]).repeat(2, axis=0)
    assert float(losses.divergence(logits)) == pytest.approx(0.0, abs=1e-6)
    # Adding a constant to all logits changes no prediction.
    assert float(losses.divergence(logits.at[1].add(3.0))) == pytest.approx(0.0, abs=1e-5)


def test_divergence_and_entropy_agree_with_scipy():
    mean = _mean_prediction()
    expected = np.mean([stats.entropy(mean, special.softmax(one, axis=-1), axis=-1) for one in _LOGITS])
    assert float(losses.divergence(jnp.asarray(_LOGITS))) == pytest.approx(expected, rel=1e-4)
    assert float(losses.entropy(jnp.asarray(_LOGITS))) == pytest.approx(stats.entropy(mean, axis=-1).mean(), rel=1e-4)


def test_loss_is_the_weighted_sum():
    logits = jnp.asarray(_LOGITS)
    plain = -special.log_softmax(_LOGITS, axis=-1)[:, np.arange(5), _LABELS].mean()
    assert float(losses.smoothed_loss(logits, _LABELS, 0.0)) == pytest.approx(plain, rel=1e-5)
    extra = 3.0 * losses.divergence(logits) + 0.5 * losses.entropy(logits)
    assert float(losses.smoothed_loss(logits, _LABELS, 3.0)) == pytest.approx(plain + float(extra), rel=1e-5)


def test_smoothed_labels_are_a_mixture():
    target = 0.8 * np.eye(7)[_LABELS] + 0.2 / 7
    expected = -(target * special.log_softmax(_LOGITS, axis=-1)).sum(axis=-1).mean()
    assert float(losses.cross_entropy(jnp.asarray(_LOGITS), _LABELS, 0.2)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.smoothed_loss(jnp.asarray(_LOGITS), _LABELS, 0.0, 0.2)) == pytest.approx(expected, rel=1e-5)


def test_extreme_logits_keep_finite_gradients():
    logits = jnp.asarray([[[200.0, -200.0, 0.0]], [[-200.0, 200.0, 0.0]]])
    value, gradient = jax.jit(jax.value_and_grad(lambda z: losses.smoothed_loss(z, jnp.zeros(1, jnp.int32), 10.0)))(
        logits
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
