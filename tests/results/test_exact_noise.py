"""A run with exact noise through the API, on real digits: its header names the noise, and it verifies and replays."""

import json

import gsmooth_jax as gs
from gsmooth_jax.results import headers


def test_a_run_with_exact_noise(tmp_path):
    terms = {
        "transform": gs.transforms.Rotation() | gs.transforms.Clip() | gs.transforms.Quantize(bits=8),
        "region": gs.Box([-1], [1]),
        "max_votes": 4000,
        "execution": gs.Execution(devices=1),
    }
    model, noise = "shipped:mnist_brightness_contrast", gs.PixelNoise(sigma=0.2, exact=True)
    run = gs.certify_run(model, "embedded", out=tmp_path / "exact", limit=2, law=noise, **terms)
    header = json.loads((tmp_path / "exact" / headers.FILE).read_text())
    assert "pixel_noise(sigma=0.2, exact=True)" in json.dumps(header)
    assert any(c.certified for c in run.claims)
    assert all(c.status == "proved" and not c.assumes for c in run.claims)
    assert gs.verify(tmp_path / "exact", replay=2, model=model, execution=gs.Execution(devices=1)).faults == []
    # Other draws than float32's, and bounds that are no lower; what is claimed is much the same.
    plain = gs.certify_run(model, "embedded", out=tmp_path / "plain", limit=2, law=gs.PixelNoise(sigma=0.2), **terms)
    assert [c.certified for c in plain.claims] == [c.certified for c in run.claims]
    for one, other in zip(plain.claims, run.claims, strict=True):
        pairs = zip(one.windows, other.windows, strict=False)
        assert all(p.bounds[0] <= e.bounds[0] for p, e in pairs if p.low == e.low and p.high == e.high)
