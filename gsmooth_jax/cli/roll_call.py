"""Who has come while processes wait to meet, and an end to the waiting.

The meeting is that of ``jax.distributed``, which says nothing while it waits, never says for whom, hears no Ctrl-C and
kills the process in the end. So beside it each process tells process 0 by a datagram a second, at the UDP port of the
coordinator's number, that it is here, and is told who else is. Nothing depends on that but the words.
"""

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from gsmooth_jax.cli.console import FAILED, INTERRUPTED, err_console, print_error

PATIENCE = 120.0  # seconds
_SILENT = 5.0  # seconds until the waiting is spoken of
_PERIOD = 1.0  # seconds between two datagrams
_GONE = 5 * _PERIOD  # seconds since a process was last heard
_BACKLOG = 10  # datagrams of a process that are read at once
_MET = b"\0"  # no signal has this number


@contextlib.contextmanager
def roll_call(state: Any) -> Iterator[None]:
    """Says who is missing while the block waits for the other processes; ends this one where they do not come.

    To be called by the main thread, which may then be held up inside the client: the words and the end come from a
    thread beside it.

    Args:
      state: of ``jax.distributed``, whose client, coordinator_address, process_id and num_processes are set once they
        are known.
    """
    news, bell = socket.socketpair()
    bell.setblocking(False)
    caller = threading.Thread(target=_call, args=(state, news), name="roll call", daemon=True)
    before = signal.set_wakeup_fd(bell.fileno())
    caller.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        bell.send(_MET)
        caller.join()
        bell.close()
        news.close()


def _call(state: Any, news: socket.socket) -> None:
    began = time.monotonic()
    with contextlib.ExitStack() as open_line:
        line, missing, said = None, [], None
        while not select.select([news], [], [], _PERIOD)[0]:
            waited = time.monotonic() - began
            if line is None and state.client is not None:
                line = _Line(state.coordinator_address, state.process_id, state.num_processes)
                open_line.callback(line.close)
            if line is not None:
                missing = line.missing()
            if waited > PATIENCE:
                print_error(f"The processes did not meet within {PATIENCE:g} s: {_in_words(line, missing)}.")
                os._exit(FAILED)
            if waited > _SILENT and line is not None and missing != said:
                said = missing
                err_console.print(f"Waiting, at most {PATIENCE:g} s: {_in_words(line, missing)}.", soft_wrap=True)
    if news.recv(1) != _MET:
        err_console.print("\nInterrupted before the processes met; nothing was started.")
        os._exit(INTERRUPTED)


def _in_words(line: "_Line | None", missing: list[int]) -> str:
    if line is None:
        return "the cluster has not told which of them this is"
    me = f"process {line.index} of {line.count}"
    if not missing:
        return f"{me} has heard from all others, and yet they are not connected at {line.address}"
    named = ", ".join(str(index) for index in missing)
    return f"{me} has heard nothing from process{'es' if len(missing) > 1 else ''} {named} at {line.address}"


class _Line:
    """The datagrams of one process."""

    def __init__(self, address: str, index: int, count: int):
        self.address, self.index, self.count = address, index, count
        self._socket: socket.socket | None = None
        self._heard: dict[int, float] = {}

    def missing(self) -> list[int]:
        """Returns the processes known to be missing: process 0 alone as long as it does not answer."""
        with contextlib.suppress(OSError, ValueError):  # no such host yet, refused, nothing more to read, not ours
            if self._socket is None:
                self._socket = self._opened()
            self._listen(self._socket) if self.index == 0 else self._speak(self._socket)
        present = self._present()
        return [i for i in range(self.count) if i not in present] if 0 in present else [0]

    def close(self) -> None:
        """Closes the socket."""
        if self._socket is not None:
            self._socket.close()

    def _present(self) -> set[int]:
        now = time.monotonic()
        return {self.index} | {index for index, at in self._heard.items() if now - at < _GONE}

    def _speak(self, line: socket.socket) -> None:
        line.send(str(self.index).encode())
        for _ in range(_BACKLOG):
            self._hear(line.recv(65536))

    def _listen(self, line: socket.socket) -> None:
        for _ in range(_BACKLOG * self.count):
            text, sender = line.recvfrom(64)
            self._hear(text)
            line.sendto(" ".join(map(str, self._present())).encode(), sender)

    def _hear(self, text: bytes) -> None:
        now = time.monotonic()
        self._heard |= {index: now for index in map(int, text.split()) if 0 <= index < self.count}

    def _opened(self) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        if self.index == 0:
            both = socket.has_dualstack_ipv6()
            opened = socket.socket(socket.AF_INET6 if both else socket.AF_INET, socket.SOCK_DGRAM)
            if both:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            opened.bind(("", int(port)))
        else:
            family, *_, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)[0]
            opened = socket.socket(family, socket.SOCK_DGRAM)
            opened.connect(address)
        opened.setblocking(False)
        return opened
