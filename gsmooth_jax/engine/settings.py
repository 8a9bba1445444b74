"""What changes how JAX and XLA compute, besides the machine and the versions: recorded, or refused. Host."""

import os

import jax

_CONFIG = (
    "jax_default_matmul_precision",
    "jax_disable_most_optimizations",
    "jax_enable_x64",
    "jax_numpy_dtype_promotion",
    "jax_optimization_level",
)
"""Names of JAX's settings on which a result may depend. No draw of this library does: they are float32 by name."""

_HARMLESS = ("xla_force_host_platform_device_count", "xla_dump_", "xla_gpu_cuda_data_dir", "xla_hlo_profile")
"""How flags of XLA begin that no result depends on."""

_UNSOUND = ("fast_math",)
"""What stands in the names of flags with which NaN, infinities or roundings are not what IEEE 754 says."""


def settings() -> dict[str, str | bool | None]:
    """Returns JAX's settings, and the flags of XLA that may change a result, in one text."""
    kept = [flag for flag in _flags() if not flag.lstrip("-").startswith(_HARMLESS)]
    return {name: _value(name) for name in _CONFIG} | {"XLA_FLAGS": " ".join(sorted(kept))}


def check() -> None:
    """Raises ValueError where XLA may compute with what no claim is about."""
    for flag in _flags():
        name, _, value = flag.partition("=")
        if any(part in name for part in _UNSOUND) and value.lower() not in ("false", "0"):
            raise ValueError(
                f"Expected arithmetic as IEEE 754 has it, got {flag} in XLA_FLAGS: NaN would count as votes, and "
                "roundings are not bounded. Take it out."
            )


def _value(name: str) -> str | bool | None:
    """A setting of JAX as it is here; of some only the process's own can be asked."""
    value = getattr(jax.config, name, jax.config.values.get(name))
    return value if isinstance(value, bool | None) else str(value)


def _flags() -> list[str]:
    return os.environ.get("XLA_FLAGS", "").split()
