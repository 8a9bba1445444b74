"""Against VERONA itself, where it is installed: its contexts, its results, and its search for the critical epsilon."""

import ast

import numpy as np
import pytest

import gsmooth_jax as gs
from tests.known import SHAPE

pytest.importorskip("ada_verona")
torch = pytest.importorskip("torch")

from ada_verona import (  # noqa: E402
    BinarySearchEpsilonValueEstimator,
    DataPoint,
    One2AnyPropertyGenerator,
    PyTorchNetwork,
    VerificationContext,
    VerificationResult,
)

from gsmooth_jax.adapters.verona import Verifier  # noqa: E402

CHANNELS_FIRST = (SHAPE[2], SHAPE[0], SHAPE[1])


class ByMean(torch.nn.Module):
    """``by_mean`` of PyTorch: class 1 of bright images."""

    def __init__(self):
        super().__init__()
        self.up = torch.nn.Parameter(torch.tensor([[-1.0, 1.0]]))

    def forward(self, images):
        return (images.mean((1, 2, 3))[:, None] - 0.5) * self.up


NETWORK = PyTorchNetwork(ByMean(), (-1, *CHANNELS_FIRST), "by_mean")


def context(tmp_path, mean=0.75, label=1):
    point = DataPoint("17", label, torch.full(CHANNELS_FIRST, mean))
    return VerificationContext(NETWORK, point, tmp_path, One2AnyPropertyGenerator(2))


def verifier(**changes):
    terms = {
        "transform": gs.transforms.Brightness(),
        "region": lambda size: gs.Box([-size], [size]),
        "law": gs.Gaussian(sigma=0.2),
        "layout": "NCHW",
        "execution": gs.Execution(devices=1),
    }
    return Verifier(**(terms | changes))


@pytest.mark.parametrize(
    ("epsilon", "result"),
    [(0.1, VerificationResult.UNSAT), (0.25, VerificationResult.TIMEOUT), (0.5, VerificationResult.SAT)],
)
def test_results(tmp_path, epsilon, result):
    found = verifier().verify(context(tmp_path), epsilon)
    assert found.result == result
    assert found.took > 0.0
    assert np.asarray(found.obtained_labels).tolist() == [1]
    if result == VerificationResult.SAT:
        (worst,) = ast.literal_eval(found.counter_example)
        assert -epsilon <= worst < -0.25  # where the smoothed network answers 0


def test_another_class_is_a_success_of_the_identity(tmp_path):
    found = verifier().verify(context(tmp_path, label=0), 0.1)
    assert (found.result, found.counter_example) == (VerificationResult.SAT, "[0.0]")


def test_without_an_attack_nothing_is_a_success(tmp_path):
    assert verifier(attack=None).verify(context(tmp_path), 0.5).result == VerificationResult.TIMEOUT


def test_its_search_brackets_the_critical_epsilon(tmp_path):
    search = BinarySearchEpsilonValueEstimator([0.05, 0.1, 0.2, 0.4, 0.5], verifier())
    found = search.compute_epsilon_value(context(tmp_path))
    assert (found.epsilon, found.smallest_sat_value) == (0.2, 0.4)  # the truth is 0.25
    assert (tmp_path / "epsilons_df.csv").is_file()


def test_pictures_are_laid_out_as_the_network_takes_them(tmp_path):
    image = np.random.default_rng(0).random(CHANNELS_FIRST, np.float32)
    for given in (image, image.reshape(-1)):
        assert (verifier()._image(torch.tensor(given), SHAPE) == image.transpose(1, 2, 0)).all()
    with pytest.raises(ValueError, match="a picture of 4 x 4 x 1 numbers"):
        verifier()._image(torch.zeros(7), SHAPE)
