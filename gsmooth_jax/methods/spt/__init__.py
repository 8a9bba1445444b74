"""A smoothed classifier, smoothed once more over a transform's parameter (Fischer et al. 2020)."""

from gsmooth_jax.methods.spt.method import Spt as Spt
