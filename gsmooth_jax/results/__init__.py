"""Runs as folders: headers and records, and what recomputes, redraws, tabulates and draws them."""

from gsmooth_jax.results.export import to_tsv as to_tsv
from gsmooth_jax.results.folder import RESULTS as RESULTS
from gsmooth_jax.results.folder import RunWriter as RunWriter
from gsmooth_jax.results.folder import finished as finished
from gsmooth_jax.results.folder import read_run as read_run
from gsmooth_jax.results.folder import read_shards as read_shards
from gsmooth_jax.results.folder import shard_name as shard_name
