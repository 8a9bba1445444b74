"""What JAX is told from outside changes no draw, or is in the header, or is refused."""

import json
import os
import subprocess
import sys

import pytest

import gsmooth_jax as gs
from gsmooth_jax.engine import settings
from gsmooth_jax.results import headers, replay

CLAIMS = """
import dataclasses, json
import jax, jax.numpy as jnp, numpy as np
import gsmooth_jax as gs
from gsmooth_jax.transforms import parse

SHAPE = (6, 6, 1)

def by_mean(images):
    mean = images.mean(axis=(1, 2, 3), dtype=jnp.float32)
    return jnp.stack([0.5 - mean, mean - 0.5], axis=-1)

rng = np.random.default_rng(0)
images = (0.45 + 0.03 * np.arange(4).reshape(4, 1, 1, 1) + 0.1 * rng.normal(size=(4, *SHAPE))).astype(np.float32)
images = images.clip(0, 1)
blurred = [[0.0], [1.0]]
cases = [
    ("brightness", [[-0.05], [0.05]], gs.Gaussian(sigma=0.1)),
    ("brightness", [[-0.05], [0.05]], gs.Uniform(low=-0.3, high=0.3)),
    ("brightness", [[-0.05], [0.05]], gs.Laplace(scale=0.1)),
    ("contrast", [[-0.05], [0.05]], gs.LogNormal(sigma=0.2)),
    ("gamma", [[-0.05], [0.05]], gs.Rayleigh(scale=0.8)),
    ("gaussian_blur", blurred, gs.Exponential(scale=4.0)),
    ("gaussian_blur", blurred, gs.FoldedGaussian(sigma=4.0)),
    ("brightness_contrast", [[-0.05, -0.05], [0.05, 0.05]], gs.Gaussian(sigma=(0.2, 0.2))),
    ("rotation|brightness|clip|quantize", [[-2.0, -0.02], [2.0, 0.02]], gs.PixelNoise(sigma=0.2, brightness=0.1)),
    ("rotational_blur|clip|quantize", [[-5.0], [5.0]], gs.PixelNoise(sigma=0.2)),
    ("zoom_blur|clip|quantize", [[0.0], [0.2]], gs.PixelNoise(sigma=0.2)),
    ("pixelate|clip|quantize", [[0.0], [0.4]], gs.PixelNoise(sigma=0.2)),
]
for text, region, law in cases:
    claims = gs.certify(by_mean, images, None, transform=parse(text), region=gs.Box(*region), law=law, max_votes=512)
    for c in claims:
        print(json.dumps([text, type(law).__name__, c.certified, c.radius, c.selection, [h[2:] for h in c.hypotheses]]))
print(jnp.zeros(()).dtype)
"""


def claims(**environment):
    result = subprocess.run(
        [sys.executable, "-c", CLAIMS],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *lines, dtype = result.stdout.splitlines()
    return [json.loads(line) for line in lines], dtype


def test_claims_are_the_same_where_numbers_are_of_64_bits_by_default():
    (single, of_32), (double, of_64) = claims(), claims(JAX_ENABLE_X64="1")
    assert (of_32, of_64) == ("float32", "float64")
    assert len(single) == 48
    assert single == double
    divided = [votes for *_, hypotheses in single for *_, successes, votes in hypotheses if 0 < successes < votes]
    assert len(divided) > 20  # unanimous votes would show nothing


def test_a_header_has_what_may_change_a_result(monkeypatch):
    harmless = "--xla_force_host_platform_device_count=4 --xla_dump_to=/somewhere"
    monkeypatch.setenv("XLA_FLAGS", f"--xla_gpu_ftz=true {harmless} --xla_allow_excess_precision=false")
    header = headers.environment()
    found = header["settings"]
    assert found["XLA_FLAGS"] == "--xla_allow_excess_precision=false --xla_gpu_ftz=true"
    assert found["jax_enable_x64"] is False
    assert found["jax_default_matmul_precision"] is None
    json.dumps(found)
    assert replay.elsewhere(header) == ""
    monkeypatch.delenv("XLA_FLAGS")
    assert "XLA_FLAGS --xla_allow_excess_precision=false --xla_gpu_ftz=true, here none)" in replay.elsewhere(header)
    old = {k: v for k, v in headers.environment().items() if k != "settings"}
    assert replay.elsewhere(old) == ""
    assert "settings" not in headers.claimed(header | {"model": {}})


@pytest.mark.parametrize(
    "flag", ["--xla_cpu_enable_fast_math=true", "--xla_gpu_enable_fast_math", "--xla_x_fast_math=1"]
)
def test_fast_math_is_refused(monkeypatch, flag, guarantee, classifier, examples):
    monkeypatch.setenv("XLA_FLAGS", f"--xla_dump_to=/somewhere {flag}")
    with pytest.raises(ValueError, match=f"got {flag} in XLA_FLAGS"):
        settings.check()
    with pytest.raises(ValueError, match="IEEE 754"):
        gs.certify_stream(classifier, examples, guarantee)
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    settings.check()
