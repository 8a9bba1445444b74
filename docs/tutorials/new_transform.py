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
# Haze makes a picture paler. There is no transform for that here, so we write one, check it, certify against it and try
# to break the claims. It stays in a file of ours; at the end it could as well go into the library.
#
# ## The transform
#
# Haze mixes every pixel with a light grey: x + h (0.9 - x), where h in [0, 1] says how thick it is. A transform is a
# pure function of one image and its parameters, and 0 leaves the image as it is. Two things more make it provable:
#
# - `lipschitz_upper`: how fast the image moves with the parameter, in L2, at most; here exactly the norm of 0.9 - x.
# - `float32_upper`: how far the arithmetic of float32 may be from that of real numbers: a unit for each rounding.
#
# It declares no `group`: the parameters of two hazes do not add, so methods that need this do not apply.

# %%
# %%writefile haze.py
import dataclasses

import jax
import numpy as np

from gsmooth_jax.transforms._norm import norm_upper
from gsmooth_jax.transforms._pipe import Pipe
from gsmooth_jax.types import Computed, Param

GREY = 0.9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Haze(Pipe, pointwise=True):
    """Mixes every pixel with a light grey: x + h (0.9 - x). Parameter: h in [0, 1]; identity 0."""

    name = "haze"
    params = (Param(name="h", unit="ratio", low=0.0, high=1.0),)
    typical = ((0.0, 0.5),)

    def __call__(self, image: jax.Array, theta: jax.Array) -> jax.Array:
        """[H, W, C], [1] -> [H, W, C]. Device."""
        return image + theta[0] * (GREY - image)

    def lipschitz_upper(self, image: jax.Array, low: jax.Array, high: jax.Array) -> jax.Array:
        """[1]: the norm of 0.9 - x, whatever h is. Device."""
        return norm_upper(GREY - image)[None]

    def float32_upper(self, image: Computed, low: np.ndarray, high: np.ndarray) -> Computed:
        """A constant, a difference, a product and a sum, each of numbers as large as the result may be or as 0.9. Host."""
        return image.pointwise(min(image.low, 0.0), max(image.high, 1.0), units=4)


# %% [markdown]
# ## The checks that every transform passes
#
# `check_transform` tries what a transform promises: shape, dtype, the identity, batches, derivatives, and that no two
# parameters move the image faster than `lipschitz_upper` says. It raises an error that names the promise which is not
# kept.

# %%
import gsmooth_jax as gs
from gsmooth_jax.testing import check_transform
from haze import Haze

check_transform(Haze())

# %% [markdown]
# The checks know nothing of haze, so a test of what it *means* is ours: the same by NumPy, in float64.

# %%
import numpy as np

image = np.random.default_rng(0).random((9, 9, 1), np.float32)
expected = 0.7 * image.astype(np.float64) + 0.3 * 0.9
assert np.abs(Haze()(image, np.array([0.3], np.float32)) - expected).max() < 1e-6

# %% [markdown]
# ## A faulty bound is found
#
# Had we bounded the speed by half of what it is:


# %%
class Wrong(Haze):
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
hazy = Haze() | gs.transforms.Clip() | gs.transforms.Quantize()
method = gs.Cover(noise=gs.PixelNoise(sigma=0.2))
claims = gs.certify(network, images, labels[:10], transform=hazy, region=gs.Box([0.0], [0.4]), method=method)
print(f"certified: {gs.certified_accuracy(claims):.0%}, by {sum(c.votes for c in claims)} votes in all")
print(claims[0].status, claims[0].assumes)

# %% [markdown]
# They are labelled `conditional`: the proof rests on our two bounds, which the library has tried but not proved. In the
# library itself, where a reviewer has read them, the same claims are `proved`.
#
# ## On the command line
#
# The file's name is enough, in every command that takes a transform.

# %% language="bash"
# gsmooth certify --limit 10 --checkpoint shipped:mnist_brightness_contrast --transform "haze.py:Haze|clip|quantize" --region 0 0.4 --law "pixel_noise(sigma=0.2)" --out hazy
# gsmooth attack hazy --checkpoint shipped:mnist_brightness_contrast --attack grid --tries 9 --limit 5

# %% [markdown]
# ## Into the library
#
# One file in `gsmooth_jax/transforms/`, one line in its registry, one test file, and one line with the same transform
# in NumPy: [how to contribute](../generated/contributing.md) has the steps, and what else a transform may state.

# %%
assert gs.certified_accuracy(claims) > 0.5
assert {c.status for c in claims} == {"conditional"}
