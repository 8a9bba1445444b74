"""Programs are kept for the next command: by machine, where JAX's own settings allow it, and at nobody's peril."""

import os

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

from gsmooth_jax.cli import compiled

SETTINGS = ("jax_enable_compilation_cache", "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without a cache folder, and JAX as a command finds it; the suite itself keeps nothing."""
    for variable in ("XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = {name: getattr(jax.config, name) for name in SETTINGS}
    jax.config.update("jax_enable_compilation_cache", True)
    compilation_cache.reset_cache()
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


def kept():
    return jax.config.jax_compilation_cache_dir


def compile_anew(number):
    """The events of the cache while a program of this number is compiled."""
    events = []
    jax.monitoring.register_event_listener(lambda event, **_: events.append(event.rpartition("/")[2]))
    try:
        jax.clear_caches()
        jax.jit(lambda x: jnp.tanh(x) * number).lower(np.float32(1)).compile()
    finally:
        jax.monitoring.clear_event_listeners()
    return [event for event in events if event in ("cache_hits", "cache_misses")]


def test_a_program_is_compiled_once(home):
    compiled.keep()
    assert kept().startswith(str(home / ".cache/gsmooth_jax/compiled/jax"))
    assert compile_anew(3.7) == ["cache_misses"]
    assert compile_anew(3.7) == ["cache_hits"]
    assert compile_anew(3.8) == ["cache_misses"]


def test_the_users_cache_folder_is_taken(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    compiled.keep()
    assert kept().startswith(str(home / "elsewhere/gsmooth_jax"))
    assert os.stat(kept()).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("folder", ["", "/somewhere/else"])
def test_a_folder_of_jax_is_left_as_it_is(home, monkeypatch, folder):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", folder)
    compiled.keep()
    assert kept() is None  # which JAX has read before, or not at all
    assert not (home / ".cache").exists()


def test_jax_can_turn_it_off(home):
    jax.config.update("jax_enable_compilation_cache", False)
    compiled.keep()
    assert kept() is None
    assert not (home / ".cache").exists()


def test_another_machine_has_another_folder(home, monkeypatch):
    def said(flags, mhz, cores):
        monkeypatch.setattr(compiled, "_processors", lambda: f"model name\t: X\ncpu MHz : {mhz}\nflags : {flags}\n\n")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
        return compiled._folder()

    here = said("sse avx2", 2000, 2)
    assert said("sse avx2", 2400, 2) == here  # the same at another moment
    assert len({here, said("sse avx2 avx512f", 2000, 2), said("sse avx2", 2000, 64)}) == 3
    monkeypatch.setattr(jax, "__version__", "0.99")
    assert said("sse avx2", 2000, 2) != here


def test_what_cannot_be_written_fails_nothing(home, monkeypatch):
    (home / ".cache").write_text("a file")
    compiled.keep()
    monkeypatch.setattr(compiled, "_processors", lambda: open("/nowhere").read())  # noqa: SIM115
    compiled.keep()
    assert kept() is None
    assert compile_anew(4.1) == []


def test_a_folder_of_another_user_is_not_trusted(home, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    compiled.keep()
    assert kept() is None


def test_a_machine_on_which_loading_complains_keeps_nothing(home, monkeypatch):
    def complains(*_):
        os.write(2, b"Target machine feature +prefer-no-gather is not supported on the host machine.")

    assert compiled._loads_quietly()
    with monkeypatch.context() as patch:
        patch.setattr(serialize_executable, "deserialize_and_load", complains)
        assert not compiled._loads_quietly()
        compiled.keep()
    assert kept() is None
    compiled.keep()  # asked once
    assert kept() is None


def test_a_damaged_entry_is_compiled_anew(home):
    compiled.keep()
    assert compile_anew(5.3) == ["cache_misses"]
    for entry in (home / ".cache").rglob("*-cache"):
        entry.write_bytes(entry.read_bytes()[:-20])
    assert compile_anew(5.3) == ["cache_misses"]
    assert float(jax.jit(lambda x: jnp.tanh(x) * 5.3)(1.0)) == pytest.approx(5.3 * float(jnp.tanh(1.0)))
