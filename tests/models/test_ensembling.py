"""An ensemble votes by the mean of its members' log-probabilities."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gsmooth_jax.models import as_classifier, ensemble

SHAPE = (2, 2, 1)


def leaning(weight, classes=3):
    """Logits that prefer class 1 by ``weight`` times the mean intensity."""
    return as_classifier(
        lambda images: weight * images.mean(axis=(1, 2, 3))[:, None] * jnp.eye(classes)[1][None, :], SHAPE
    )


def test_logits_are_the_mean_of_the_log_probabilities():
    images = jnp.asarray(np.random.default_rng(0).random((4, *SHAPE)), jnp.float32)
    members = [leaning(2.0), leaning(-1.0), leaning(5.0)]
    expected = np.mean([jax.nn.log_softmax(m(images)) for m in members], axis=0)
    assert np.asarray(ensemble(members)(images)) == pytest.approx(expected, abs=1e-6)


def test_one_member_is_itself():
    member = leaning(1.0)
    assert ensemble([member]) is member


def test_members_must_agree():
    with pytest.raises(ValueError, match="one domain, number of classes"):
        ensemble([leaning(1.0), leaning(1.0, classes=4)])
    with pytest.raises(ValueError, match="at least one"):
        ensemble([])
