"""Attacks on smoothed classifiers through the real transform: they try what claims forbid. ``ATTACKS`` lists them."""

from gsmooth_jax.attacks.eot_pgd import EotPgd as EotPgd
from gsmooth_jax.attacks.grid import Grid as Grid
from gsmooth_jax.attacks.random import Random as Random
from gsmooth_jax.attacks.stream import Outcome as Outcome
from gsmooth_jax.attacks.stream import attack_stream as attack_stream
from gsmooth_jax.attacks.target import Attack as Attack

ATTACKS: dict[str, type[Grid] | type[Random] | type[EotPgd]] = {a.name: a for a in (Grid, Random, EotPgd)}
"""name -> class; ``gsmooth attack --attack`` knows these."""
