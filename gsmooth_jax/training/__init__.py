"""Training of classifiers under the smoothing they will be certified with."""

from gsmooth_jax.training.config import TrainConfig as TrainConfig
from gsmooth_jax.training.loop import train as train
