# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   language_info:
#     name: python
#     pygments_lexer: ipython3
# ---

# %% [markdown]
# # A new transform in an afternoon
#
# Lenses darken the corners of a picture. There is no transform for that here yet, so we write one, check it, certify
# against it and try to break the claims. It stays in a file of ours; at the end it could as well go into the library.
#
# ## The transform
#
# A vignette multiplies every pixel by 1 - v r², where r is its distance from the centre, 1 at the corners, and v in
# [0, 1] says how dark these get. A transform is a pure function of one image and its parameters, and 0 leaves the image
# as it is. Three things more make it provable:
#
# - `lipschitz_upper`: how fast the image moves with the parameter, in L2, at most; here exactly the norm of x r².
# - `float32_upper`: how far the arithmetic of float32 may be from that of real numbers: one for each rounded operation.
# - no `group`: two vignettes are no vignette, so the methods that need an exact composition law do not apply.

# %%
# %%writefile vignette.py
import dataclasses

import jax
import numpy as np

from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param


def squared_distance(shape):
    """[H, W, 1]: from the centre, 1 at the corners."""
    rows, columns = (np.linspace(-1.0, 1.0, n, dtype=np.float32) for n in shape[:2])
    return (rows[:, None, None] ** 2 + columns[None, :, None] ** 2) / 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vignette(Pipe, pointwise=True):
    """Darkens towards the corners: x (1 - v r^2). Parameter: v in [0, 1]; identity 0. No composition law."""

    name = "vignette"
    params = (Param(name="v", unit="ratio", low=0.0, high=1.0),)
    typical = ((0.0, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        return image * (1.0 - theta[0] * squared_distance(image.shape))

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """[1]: the norm of x r^2, whatever v is. Device."""
        return norm_upper(image * squared_distance(image.shape))[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """Two products and a difference of numbers in [0, 1]: two units each, to be safe. Host."""
        return image.pointwise(min(image.low, 0.0), max(image.high, 0.0), units=6)


# %% [markdown]
# ## The checks that every transform passes
#
# `check_transform` tries what a transform promises: shape, dtype, the identity, batches, derivatives, and that no two
# parameters move the image faster than `lipschitz_upper` says. It raises an error that names the promise which is not
# kept.

# %%
import gsmooth_jax as gs
from gsmooth_jax.testing import check_transform
from vignette import Vignette

check_transform(Vignette())

# %% [markdown]
# The checks know nothing of vignettes, so a test of what it *means* is ours: the same by NumPy, in float64.

# %%
import numpy as np

image = np.random.default_rng(0).random((9, 9, 1), np.float32)
y, x = np.mgrid[-1:1:9j, -1:1:9j]
expected = image * (1 - 0.3 * (y**2 + x**2) / 2)[..., None]
assert np.abs(Vignette()(image, np.array([0.3], np.float32)) - expected).max() < 1e-6

# %% [markdown]
# ## A faulty bound is found
#
# Had we forgotten that corners move most, and bounded the speed by half of what it is:


# %%
class Wrong(Vignette):
    def lipschitz_upper(self, image, low, high):
        return 0.5 * super().lipschitz_upper(image, low, high)


try:
    check_transform(Wrong())
except AssertionError as error:
    print("found:", str(error)[:200])
else:
    raise RuntimeError("nobody has noticed")

# %% [markdown]
# ## Claims
#
# The method `cover` smooths the pixels, and follows the image along its way through the region; it takes any transform
# with the two bounds. The composition with `clip` and `quantize` is what an 8-bit file holds.

# %%
from gsmooth_jax.data import embedded_images

digits, labels, _ = embedded_images()
images = digits[:10].astype("float32") / 255
network = gs.load("shipped:mnist_brightness_contrast")
darkened = Vignette() | gs.transforms.Clip() | gs.transforms.Quantize()
method = gs.Cover(noise=gs.PixelNoise(sigma=0.2))
claims = gs.certify(network, images, labels[:10], transform=darkened, region=gs.Box([0.0], [0.8]), method=method)
print(f"certified: {gs.certified_accuracy(claims):.0%}, by {sum(c.votes for c in claims)} votes in all")
print(claims[0].status, claims[0].assumes)

# %% [markdown]
# They are labelled `conditional`: the proof rests on our two bounds, which the library has tried but not proved. In the
# library itself, where a reviewer has read them, the same claims are `proved`.
#
# ## On the command line
#
# The file's name is enough, in every command that takes a transform.

# %%
# !gsmooth certify --limit 10 --checkpoint shipped:mnist_brightness_contrast --transform "vignette.py:Vignette|clip|quantize" --region 0 0.8 --law "pixel_noise(sigma=0.2)" --out dark
# !gsmooth attack dark --checkpoint shipped:mnist_brightness_contrast --attack grid --tries 9 --limit 5

# %% [markdown]
# ## Into the library
#
# One file in `gsmooth_jax/transforms/`, one line in its registry, one test file, and one line with the same transform
# in NumPy: [how to contribute](../generated/contributing.md) has the steps, and what else a transform may state.

# %%
assert gs.certified_accuracy(claims) > 0.5
assert {c.status for c in claims} == {"conditional"}
