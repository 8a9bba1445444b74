"""Any transform that bounds its own speed, or takes few values: the region covered with smoothing centres."""

from gsmooth_jax.methods.cover.method import Cover as Cover
