"""Keeps what XLA has compiled, so that a command that is run again need not wait for it: in a folder of this machine's.

JAX's own compilation cache does the work. Code for one processor must not run on another, nor what another version has
compiled: the folder's name is made of all that decides.
"""

import hashlib
import os
import platform
import sys
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

import jax

_OF_THE_PROCESSOR = {
    *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),
}
"""What Linux says of a processor, x86 and ARM, that does not change from moment to moment."""


def keep() -> None:
    """Turns JAX's compilation cache on, in the user's cache folder, unless a setting of JAX's has decided otherwise.

    ``JAX_COMPILATION_CACHE_DIR`` names another folder, or none where it is empty; ``JAX_ENABLE_COMPILATION_CACHE=0``
    turns it off. It fails no command: without a folder to write in, everything is compiled anew, as it is on systems
    other than Linux, on which this has not been tried.
    """
    set_already = "JAX_COMPILATION_CACHE_DIR" in os.environ or _setting("jax_compilation_cache_dir") is not None
    if sys.platform != "linux" or set_already or not _setting("jax_enable_compilation_cache"):
        return
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        verdict = folder / "loads"
        if not verdict.exists():
            verdict.write_text("quietly" if _loads_quietly() else "with complaints")
        ours = folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK)  # what is in it will be executed
        if not ours or verdict.read_text() != "quietly":
            return
    except (OSError, RuntimeError):  # no room, no rights, no home
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # a command has dozens of small programs
    # An entry that cannot be read, such as one that another process is writing, or written, is compiled anew.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache entry")


def _setting(name: str) -> object:
    return getattr(jax.config, name)


def _folder() -> Path:
    """Where this machine's programs are kept: of this kind of processor, these versions and this kind of device."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not caches.is_absolute():  # which the specification of the variable asks to ignore
        caches = Path.home() / ".cache"
    made_by = f"jax{jax.__version__}-jaxlib{metadata.version('jaxlib')}-{jax.default_backend()}"
    return caches / "gsmooth_jax" / "compiled" / f"{made_by}-{_machine()}"


def _machine() -> str:
    """A fingerprint of the processor, and of how many of its cores XLA may divide a program over."""
    facts = [platform.machine(), str(len(os.sched_getaffinity(0))), jax.devices()[0].device_kind]
    first, *_ = _processors().partition("\n\n")
    lines = [line.partition(":") for line in first.splitlines()]
    facts += [f"{name.strip()}: {value.strip()}" for name, _, value in lines if name.strip() in _OF_THE_PROCESSOR]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def _processors() -> str:
    """What Linux says of this machine's processors; raises OSError where it says nothing."""
    return Path("/proc/cpuinfo").read_text()


def _loads_quietly() -> bool:
    """Whether XLA loads what it has just compiled without a word.

    It compares the processor that a program was compiled for with the one at hand. Of some processors it has taken
    preferences of its own for features that they lack (jax-ml/jax issue 38445): it would complain of every program.
    """
    from jax.experimental import serialize_executable as programs

    packed = programs.serialize(jax.jit(lambda x: x + 1.0).lower(0.0).compile())
    before = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            programs.deserialize_and_load(*packed)
        finally:
            os.dup2(before, 2)
            os.close(before)
        return os.fstat(said.fileno()).st_size == 0
