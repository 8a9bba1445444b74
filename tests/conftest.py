"""Eight virtual CPU devices, strict shapes, and key-reuse checks for the whole suite."""

import jax

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
