"""Interval bounds: the image's entries over cells of the region, pushed through the classifier."""

from gsmooth_jax.methods.interval.method import IntervalBounds as IntervalBounds
