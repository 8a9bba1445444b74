"""Tones of two pitches, signed waveforms [T]: certified against their volume from Python to the replay of a run."""

import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest

import gsmooth_jax as gs
from gsmooth_jax import attacks, results, transforms
from gsmooth_jax.results import headers, origin, replay, verify

SAMPLES, RATE = 400, 8000
DOMAIN = gs.Domain((SAMPLES,), -1.0, 1.0)
PITCHES = (440.0, 1000.0)
SAVED = transforms.parse("volume|clip(low=-1.0)|quantize(bits=16, low=-1.0)")


def louder_of_two_bands(waveforms):
    """[B, T] -> [B, 2]: the largest power near either pitch."""
    time = np.arange(SAMPLES) / RATE
    near = [np.outer(2 * np.pi * pitch * np.linspace(0.94, 1.06, 7), time) for pitch in PITCHES]
    filters = np.stack([[np.cos(angle), np.sin(angle)] for angle in near]).astype(np.float32)  # [2, 2, 7, T]
    power = jnp.sum(jnp.einsum("kift,bt->kibf", filters, waveforms) ** 2, axis=1)
    return power.max(axis=-1).T


@pytest.fixture(scope="module")
def tones():
    """Eight waveforms and which pitch each has; the last one is said to have the other."""
    rng = np.random.default_rng(0)
    labels = np.arange(8) % 2
    pitch = np.take(PITCHES, labels) * rng.uniform(0.96, 1.04, 8)
    phase, loudness = rng.uniform(0, 2 * np.pi, (8, 1)), rng.uniform(0.3, 0.8, (8, 1))
    waves = loudness * np.sin(2 * np.pi * pitch[:, None] * np.arange(SAMPLES) / RATE + phase)
    return waves.astype(np.float32), np.append(labels[:-1], 1 - labels[-1])


WAYS = {
    "resolvable": (transforms.Volume(), 6.0, gs.Gaussian(sigma=4.0), "resolvable"),
    "cover": (SAVED, 6.0, gs.PixelNoise(sigma=0.3), "cover"),
    "spt": (SAVED, 2.0, gs.Gaussian(sigma=4.0), "spt(inner=0.05)"),  # at +6 dB too much is cut off
}


@pytest.mark.parametrize("way", WAYS)
def test_signed_waveforms_are_certified_against_their_volume(tones, way):
    transform, most, law, method = WAYS[way]
    terms = {"transform": transform, "region": gs.Box([-most], [most]), "law": law, "domain": DOMAIN, "method": method}
    claims = gs.certify(louder_of_two_bands, *tones, **terms)
    assert [c.certified and bool(c.correct) for c in claims] == [True] * 7 + [False]
    assert {c.status for c in claims} == {"proved"}
    # Behind a clip to [0, 1] or without a range of their own they are no inputs at all.
    with pytest.raises(ValueError, match=r"image 0 to lie in \[0, 1\], got values in \[-0"):
        gs.certify(louder_of_two_bands, *tones, **terms | {"domain": None})
    if way == "cover":
        with pytest.raises(ValueError, match="clip cuts inputs"):
            gs.certify(louder_of_two_bands, *tones, **terms | {"transform": transforms.parse("volume|clip")})


@pytest.mark.parametrize("way", WAYS)
def test_a_run_of_waveforms_is_kept_verified_replayed_and_attacked(tones, way, tmp_path):
    classifier = gs.as_classifier(louder_of_two_bands, DOMAIN)
    transform, most, law, text = WAYS[way]
    method = gs.methods.registry.choose(text, law, transform)
    guarantee = gs.Guarantee(transform=transform, region=gs.Box([-most], [most]), method=method)
    examples = [gs.Example(id=i, image=w, label=int(n)) for i, (w, n) in enumerate(zip(*tones, strict=True))]
    header = headers.make(guarantee, model=headers.model_of(classifier), data={"name": "tones", "split": "test"})
    for some in (examples[:3], examples):  # interrupted, and gone on with
        with results.RunWriter(tmp_path, header) as run:
            for claim in gs.certify_stream(classifier, [e for e in some if e.id not in run.done], guarantee):
                run.append(claim)

    read, claims = results.read_run(tmp_path)
    assert headers.domain_of(read) == DOMAIN
    assert headers.guarantee_of(read) == guarantee
    assert [c.id for c in claims] == [e.id for e in examples]
    assert verify.verify_run(read, claims) == []
    lied = dataclasses.replace(claims[0], certified=not claims[0].certified)
    assert verify.verify_run(read, [lied, *claims[1:]])

    chosen = [claims[1], claims[7]]
    assert list(replay.replay(classifier, read, chosen, examples=examples)) == [(1, []), (7, [])]
    louder = [dataclasses.replace(e, image=np.clip(3 * e.image + 0.1, -1, 1)) for e in examples]
    (found,) = replay.replay(classifier, read, claims[2:3], examples=[e for e in louder if e.id == 2])
    assert found[0] == 2
    assert (way == "resolvable") == (found[1] == [])  # its unanimous votes say nothing of how loud an input is

    origin.check_classifier(read, classifier)
    with pytest.raises(ValueError, match=r"inputs \(400,\) in \[-1, 1\], this classifier takes \(400,\) in \[0, 1\]"):
        origin.check_classifier(read, gs.as_classifier(louder_of_two_bands, (SAMPLES,)))
    exact = (attacks.EotPgd(tries=2, steps=2, draws=4),) if way != "spt" else ()  # whose majorities have no derivative
    for attack in (attacks.Grid(tries=4), attacks.Random(tries=2), *exact):
        outcomes = list(
            attacks.attack_stream(classifier, zip(examples[:2], claims[:2], strict=True), guarantee, attack)
        )
        assert [o.broke_claim for o in outcomes] == [False, False]
        assert all(o.tries > 2 for o in outcomes)
    json.dumps(read)
