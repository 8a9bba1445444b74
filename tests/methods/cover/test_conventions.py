"""What a program writes into an image file lies within the distance that is proved for its convention."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import gsmooth_jax as gs
from gsmooth_jax.data.embedded import embedded_images
from gsmooth_jax.methods.cover.centres import Centres
from gsmooth_jax.methods.cover.decomposition import CoverDecomposition
from gsmooth_jax.methods.cover.geometry import Geometry
from gsmooth_jax.methods.cover.path import joined
from gsmooth_jax.results.verify import verify
from gsmooth_jax.transforms import Clip, Pixelate, Quantize, Rotation
from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Param
from tests.known import by_mean, distances

NOISE = gs.PixelNoise(sigma=0.25)
DOWN = Clip() | Quantize(rounding="down")
PROGRAMS = {
    "pillow": lambda file, angle: np.asarray(Image.fromarray(file).rotate(angle, Image.Resampling.BILINEAR)),
    "scipy": lambda file, angle: ndimage.rotate(file, angle, order=1, reshape=False),
}


def allowed(geometry, angle):
    """How far from its latent an image may be that stands for a single angle."""
    at = np.array([[angle]])
    (point,) = geometry._lone(at, at, at).stretches
    return float(point.beyond[0])


def shares(transform, convention):
    """Distances of a program's files from the images that stand for them, as shares of what is allowed for."""
    found = []
    for file in embedded_images().images[:5, :, :, 0]:
        geometry = Geometry(file[:, :, None] / np.float32(255), CoverDecomposition.of(transform), NOISE, Centres())
        for angle in np.random.default_rng(0).uniform(-50, 50, 20).astype(np.float32):
            layout = geometry.point(np.array([angle]))
            written = PROGRAMS[convention](file, float(angle)) / 255.0
            centre = layout.centres[layout.parts[0].centre_id].ravel()
            found.append(distances(NOISE, written.reshape(1, -1), centre)[0] / allowed(geometry, angle))
    return np.array(found)


@pytest.mark.parametrize("convention", PROGRAMS)
def test_a_programs_files_lie_within_the_distance_of_its_convention(convention):
    rounding = DOWN if convention == "pillow" else Clip() | Quantize()
    found = shares(Rotation(convention=convention) | rounding, convention)
    assert 0.4 < found.max() <= 1.0


def test_pillows_files_lie_outside_the_distance_for_rounding_to_nearest():
    assert (shares(Rotation() | Clip() | Quantize(), "pillow") > 1.0).mean() > 0.9


def test_an_image_that_jumps_is_not_certified_and_says_why():
    classifier = gs.as_classifier(by_mean, (8, 8, 1))
    dark, lit = np.full((8, 8, 1), 0.1, np.float32), np.full((8, 8, 1), 0.1, np.float32)
    dark[[0, -1]], dark[:, [0, -1]] = 0.0, 0.0
    examples = [gs.Example(id=i, image=image, label=0) for i, image in enumerate((lit, dark))]
    guarantee = gs.Guarantee(
        transform=Rotation(convention="pillow"), region=gs.Box([-20.0], [20.0]), method=gs.Cover(noise=NOISE)
    )
    jumps, smooth = gs.certify_stream(classifier, examples, guarantee)
    assert (jumps.certified, smooth.certified) == (False, True)
    assert jumps.predicted == smooth.predicted == 0
    assert "it jumps under rotation" in jumps.note
    assert smooth.note == ""
    assert verify(guarantee, [jumps, smooth]) == []
    masked = dataclasses.replace(guarantee, transform=Rotation(convention="pillow", mask=True))
    assert next(iter(gs.certify_stream(classifier, examples, masked))).certified


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flicker(Pipe):
    """Darkens a little, and not at all at every multiple of 1/64."""

    name = "flicker"
    params = (Param(name="t", unit="1"),)
    typical = ((0.0, 1.0),)

    def __call__(self, image, theta):
        return image * (1.0 - 1e-4 * jnp.sin(64 * jnp.pi * theta[0]) ** 2)

    def lipschitz_upper(self, image, low, high):
        return jnp.full_like(low, 64 * 3.15e-4) * norm_upper(image)

    def float32_upper(self, image, low, high):
        return image.pointwise(min(image.low, 0.0), image.high, units=8)


def test_what_is_white_at_both_ends_of_a_box_is_rounded_down_between_them():
    # Just below 1 an entry moves by a whole level, however near to 1 it is; rounded to nearest, it stays.
    image, darker = np.ones((6, 6, 1), np.float32), np.full((1, 36), 254 / 255)
    for way, holds in (("nearest", False), ("down", True)):
        geometry = Geometry(image, CoverDecomposition.of(Flicker() | Clip() | Quantize(rounding=way)), NOISE, Centres())
        path = joined(list(geometry._strip(np.array([0.0]), np.array([1.0]), 0).stretches))
        far = distances(NOISE, darker, path.latents[0].ravel())[0]
        assert (far <= path.beyond[0] + path.longest[0]) == holds


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (Rotation() | Quantize(rounding="down"), "clip in front of quantize"),
        (Rotation() | Quantize(rounding="down") | Clip(), "clip in front of quantize"),
        (Pixelate() | DOWN, "cover enumerates the values of pixelate"),
    ],
    ids=lambda v: v.name if hasattr(v, "params") else None,
)
def test_rounding_down_is_refused_where_its_reach_is_not_known(transform, message):
    with pytest.raises(ValueError, match=message):
        CoverDecomposition.of(transform)
