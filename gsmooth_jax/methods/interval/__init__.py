"""Interval bounds: the image's entries over cells of the region, pushed through the classifier."""
