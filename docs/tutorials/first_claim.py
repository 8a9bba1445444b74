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
# # A first claim, and what it means
#
# A network reads digits. Somebody may change the brightness and the contrast of a picture as they like, within limits.
# Can they make the network read another digit? Trying many changes finds an answer for those that were tried. Here we
# prove one for all of them.
#
# The images and the network are shipped with the library; nothing is downloaded.

# %%
import numpy as np

import gsmooth_jax as gs
from gsmooth_jax.data import embedded_images

digits, labels, ids = embedded_images()
images = digits[:20].astype("float32") / 255  # [N, H, W, C] in [0, 1]
network = gs.load("shipped:mnist_brightness_contrast")

# %% [markdown]
# ## What the attacker may do
#
# A *transform* says how a picture changes with a few parameters, and a *region* how far these may go. Here e^k (x + b)
# with a log contrast k and a brightness b within 0.5: contrast between 61 % and 165 %, brightness by half the range of
# intensities.

# %%
transform = gs.transforms.BrightnessContrast()
region = gs.Box([-0.5, -0.5], [0.5, 0.5])

# %% [markdown]
# ## The classifier that claims are about
#
# It is the *smoothed* classifier: the network is asked about many randomly transformed copies, and the class with the
# most probability is the answer. The *law* of these random parameters is a choice of yours; the network was trained
# under this one. Without noise nothing follows from finitely many questions about infinitely many pictures; with it,
# something does, since the copies of two pictures that are near each other are mostly the same.

# %%
law = gs.Gaussian(sigma=(0.6, 0.6))
smoothed = gs.Smoothed(network, law, transform=transform)
answers = smoothed.predict(images)
print("answers:", answers)
print("right:  ", int((answers == labels[:20]).sum()), "of 20")

# %% [markdown]
# ## The claims

# %%
claims = gs.certify(network, images, labels[:20], transform=transform, region=region, law=law, alpha=1e-3)
for claim in claims[:5]:
    print(f"image {claim.id}: {claim.predicted}, certified {claim.certified}, {claim.status}, {claim.votes} votes")
print(f"certified: {gs.certified_accuracy(claims):.0%} of {len(claims)} images")

# %% [markdown]
# What `certified` says of an image: *for every contrast and brightness in the region, all of them, the smoothed
# classifier gives this answer.* `proved` says that nothing else is assumed, but for the idealisations that are listed
# in [what is proved](../what_is_proved.md). The votes are random, so a claim may be false: with probability `alpha`,
# one in a thousand, at most.
#
# Why so few votes are enough: to cover this region, the answer's probability at the image itself has to exceed a
# threshold, which an exact theorem gives. Votes are drawn until a test that may be looked at after each of them is
# sure.

# %%
one = claims[0].hypotheses[0]
print(f"{one.successes} of {one.votes} votes were for it; its probability has to exceed {one.threshold:.3f}")
print(f"the same votes prove a region of size {claims[0].radius:.2f}")

# %% [markdown]
# ## A run on disk, verified
#
# For more than a few images, `certify_run` keeps the claims with their evidence in a folder. Whoever has the folder can
# recompute every verdict, without the network.

# %%
run = gs.certify_run(
    "shipped:mnist_brightness_contrast", "embedded", limit=20, out="first", transform=transform, region=region, law=law
)
found = gs.verify(run)
print(f"{found.claims} claims verified, faults: {found.faults}")

# %% [markdown]
# ## An attack
#
# If the claims are true, no attack finds a counterexample inside the region. This one tries 64 random transformations
# of each image, and decides on the worst of them with 1,024 fresh votes. What is *certified* can be no more than what
# survives attacks, and what survives attacks no more than what is right without them: the proof closes the gap from
# below.

# %% language="bash"
# gsmooth attack first --attack random --tries 64 --votes 16 --limit 10

# %% [markdown]
# ## What cannot be claimed
#
# A region that no number of votes within the budget can prove is refused before any work, with what it would take.

# %%
try:
    gs.certify(network, images, transform=transform, region=gs.Box([-1.6, -1.6], [1.6, 1.6]), law=law, max_votes=2000)
except ValueError as error:
    print(error)

# %%
assert np.mean([c.certified for c in claims]) > 0.9
assert found.faults == []
