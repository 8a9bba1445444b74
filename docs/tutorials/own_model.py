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
# # Your network and a folder of pictures, to a report page
#
# The library brings networks of its own, but none of them is needed. Here the network is a function of NumPy, and the
# pictures lie in a folder, as PNG files. For a PyTorch module or an ONNX file two lines differ, which are shown.
#
# ## Pictures
#
# A folder a class, as image folders usually are. These are some of the shipped digits; yours may be of any size, and
# `--resize 256 --crop 224` makes them one.

# %%
from pathlib import Path

import numpy as np
from PIL import Image

from gsmooth_jax.data import embedded_images

digits, labels, ids = embedded_images()
for image, label, number in zip(digits[150:180], labels[150:180], ids[150:180], strict=True):
    folder = Path("photos") / str(label)
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0]).save(folder / f"{number}.png")
print(len(list(Path("photos").rglob("*.png"))), "pictures in", len(list(Path("photos").iterdir())), "folders")

# %% [markdown]
# ## A network
#
# Any function from a batch of images to logits. This one compares an image with the mean image of each class, so it is
# no good network, but it is yours. It stands in a file, `nets.py`, since the command line has to find it; and it is
# handed over by `HostModel`, which says how it takes its images (the *layout*), since nobody can guess that safely.

# %%
# %%writefile nets.py
import numpy as np

from gsmooth_jax.data import embedded_images
from gsmooth_jax.models import HostModel

digits, labels, _ = embedded_images()
known = digits[:150].reshape(150, -1).astype(np.float32) / 255
MEANS = np.stack([known[labels[:150] == k].mean(0) for k in range(10)])


def nearest_mean(images: np.ndarray) -> np.ndarray:  # [B, H, W, C] in [0, 1] -> logits [B, 10]
    flat = images.reshape(len(images), -1)
    return flat @ MEANS.T - 0.5 * (MEANS**2).sum(1)


net = HostModel(nearest_mean, layout="NHWC", fingerprint="nearest mean of the first 150")

# %% [markdown]
# A PyTorch module is `net = HostModel(module, layout="NCHW")`, with `mean=` and `std=` if it was trained on normalised
# images; an ONNX file needs no Python at all: `--model net.onnx --layout NCHW`. The *fingerprint* is needed here since
# what a function of NumPy computes cannot be seen from outside; weights of PyTorch modules and ONNX files are
# fingerprinted by themselves.
#
# ## Before the work: what will it take?
#
# The claim: every rotation within 3 degrees, as an 8-bit file holds it. The noise is of the pixels, with a standard
# deviation of 0.3 of the range of intensities: the network was not trained for it, but a linear one bears it.

# %% language="bash"
# gsmooth plan --data folder:photos --model nets.py:net --transform "rotation|clip|quantize" --region -3 3 --law "pixel_noise(sigma=0.3)" --images 5

# %% [markdown]
# ## The run

# %% language="bash"
# gsmooth certify --data folder:photos --model nets.py:net --transform "rotation|clip|quantize" --region -3 3 --law "pixel_noise(sigma=0.3)" --out mine

# %% [markdown]
# The last lines say why images are not certified, and what may be done about it. *Clean* is the network without noise,
# *smoothed* the classifier that the claims are about; see [reading a report](../reading_a_report.md).
#
# ## The page
#
# One file that needs no other: every picture, how far it is proved, and why not further. Open `mine.html` in a browser.

# %% language="bash"
# gsmooth report mine --html mine.html

# %%
print(f"{Path('mine.html').stat().st_size // 1024} KiB")

# %% [markdown]
# ## Verified, and replayed
#
# Anybody who has the folder `mine` can recompute every verdict from its evidence. With the network, a few images can
# also be certified again, from their seeds: the records have to be the same.

# %% language="bash"
# gsmooth verify mine --replay 2 --model nets.py:net

# %%
import gsmooth_jax as gs

(summary,) = gs.report("mine")
assert summary["images"] == 30
assert summary["certified_accuracy"] > 0.3
assert gs.verify("mine").faults == []
