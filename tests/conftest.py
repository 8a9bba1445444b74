"""Eight virtual CPU devices, strict shapes, key-reuse checks and quick compilation for the whole suite."""

import os

# Neither this process nor a command that it starts keeps what it compiles in the user's home.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "0"
# Keras chooses once, when it is first imported.
os.environ["KERAS_BACKEND"] = "jax"

import coverage
import hypothesis
import jax
import pytest

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
# The suite compiles hundreds of small programs and runs each for a moment.
jax.config.update("jax_disable_most_optimizations", True)

# The same examples in every run: what fails here fails everywhere.
hypothesis.settings.register_profile("fixed", derandomize=True)
hypothesis.settings.load_profile("fixed")

from tests.known import classifier as classifier  # noqa: E402 (after jax has been told of the devices)
from tests.known import examples as examples  # noqa: E402
from tests.known import guarantee as guarantee  # noqa: E402
from tests.surrogates import fitted as fitted  # noqa: E402


@pytest.fixture
def untraced():
    """Coverage stands still, which takes longer than the test: for long work of code that other tests cover."""
    stopped = []
    while (tracing := coverage.Coverage.current()) is not None:  # a worker of xdist has two
        tracing.stop()
        stopped.append(tracing)
    yield
    for tracing in reversed(stopped):
        tracing.start()
