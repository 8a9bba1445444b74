"""Training of classifiers under the smoothing they will be certified with (``loop``), and of surrogates.

What a run is, ``TrainConfig``, is known without Flax and Optax, which training imports.
"""

from gsmooth_jax.training.config import TrainConfig as TrainConfig
