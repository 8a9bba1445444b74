"""Which share of a run is this process's: one process a host, each with its own devices, images and results file."""

import contextlib
import dataclasses
import errno
import hashlib
import re
import socket
import sys
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Share:
    """Process ``index`` of ``count``: it takes the images at positions index, index + count, ... of the run's."""

    index: int
    count: int


def join(distributed: bool, coordinator: str | None, processes: int | None, process: int | None) -> Share:
    """Finds this process's share.

    Certifying needs no word from the other processes. So they meet, learn who they are, and part before JAX looks at
    its devices: each then works like a lone process. The death of one, of the coordinator too, neither kills the others
    nor lets them wait, and XLA does not try to share its GPU tuning with processes that compile something else.

    Args:
      distributed: meet through ``jax.distributed``; what is left out is detected from the cluster.
      coordinator: HOST:PORT of process 0, to meet there.
      processes: how many there are.
      process: which one this is.

    Raises:
      ValueError: not a share, or one that a process of this machine already waits with, or no cluster to detect it
        from.
      ConnectionError: the processes could not meet. Where the others do not come, the process ends with code 1 and
        the names of the missing.
    """
    if not distributed and coordinator is None:
        if (processes is None) != (process is None):
            raise ValueError(f"Expected --processes and --process together, got {processes=}, {process=}.")
        return _checked(Share(process or 0, 1 if processes is None else processes))
    if coordinator is not None and not re.fullmatch(r".+:\d+", coordinator):
        raise ValueError(f"Expected --coordinator HOST:PORT, got {coordinator!r}.")
    if processes is not None and process is not None:
        _checked(Share(process, processes))
    import jax
    from jax._src.distributed import global_state  # jax.process_index() would start the devices

    from gsmooth_jax.cli.roll_call import roll_call

    # JAX would take SIGTERM for itself, and with it the message and the exit code of an interrupted run.
    jax.config.update("jax_enable_preemption_service", False)
    with _only(coordinator, process):
        try:
            with roll_call(global_state):
                jax.distributed.initialize(coordinator, processes, process)
                share = Share(global_state.process_id, global_state.num_processes)
                jax.distributed.shutdown()
        except ValueError as error:
            raise ValueError(
                f"No cluster was detected ({error}) Give --coordinator HOST:PORT --processes N --process I, or the "
                "last two alone: the processes then never meet."
            ) from error
        except RuntimeError as error:
            raise ConnectionError(f"The processes did not meet: {error}") from error
    # What is left of the others must not reach the devices' start.
    global_state.process_id, global_state.num_processes = 0, 1
    return share


@contextlib.contextmanager
def _only(coordinator: str | None, process: int | None) -> Iterator[None]:
    """Refuses a process whose number another one of this machine waits with: of two, ``jax.distributed`` aborts one.

    The number is a name that Linux gives to one socket at a time, and takes back when its process ends, however it
    ends. On other systems, and of processes on several machines, nothing is known.
    """
    if coordinator is None or process is None or sys.platform != "linux":
        yield
        return
    short = hashlib.sha256(coordinator.encode()).hexdigest()  # a name has at most 107 bytes
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        try:
            claim.bind(f"\0gsmooth process {process} {short}")
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise ValueError(
                f"Expected processes with different --process, got two with --process {process} at {coordinator}: "
                "one of them waits already."
            ) from error
        yield


def _checked(share: Share) -> Share:
    if not 0 <= share.index < share.count:
        raise ValueError(f"Expected 0 <= process < processes, got process={share.index}, processes={share.count}.")
    return share
