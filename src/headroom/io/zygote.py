"""A helper process that forks another one for each job: an interpreter with its libraries loaded, at a fork's price.

It is started at first use as a new program, never forked from the user's process, which may hold threads and gigabytes.
It has a process group of its own, so that Ctrl-C reaches the user's process alone, and ends with that one, however that
one ends, because the socket between them closes then; until then it holds some 70 MB. A copy of the user's process
starts a helper of its own.

The forkserver of multiprocessing forks as well, but runs the user's main module again in each new process, is one for
everything in the user's process, with the preloads of whoever came first, and ends no job whose caller has gone.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from headroom.io import child_program

_ENDING_SECONDS = 10.0


class Zygote:
    """The user's end of the helper. Threads may share it; their jobs run at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._helper: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def run(self, decoder: str, folder: Path, seconds: float) -> int:
        """Run `child_program` for a folder in a process of its own and return its exit status.

        Raises:
            TimeoutError: It took longer, and was ended.
            ChildProcessError: The helper died over it, and so did the next one.
        """
        request = json.dumps([decoder, os.fspath(folder)]).encode()
        for _ in range(2):
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    self._send(request, theirs)
                if status := _answer(ours, seconds):
                    return int(status)
        raise ChildProcessError("the process that starts the decoders has died")

    def stop(self) -> None:
        """End the helper and its jobs."""
        with self._lock:
            self._stop()

    def forget(self) -> None:
        """Leave the helper to the process that this one is a copy of."""
        self._lock = threading.Lock()
        if self._helper is not None:
            process, control = self._helper
            control.close()
            process.poll()  # finds no such child, and thus nothing to warn of
            self._helper = None

    def _send(self, request: bytes, caller: socket.socket) -> None:
        """Give a request to the helper, or to a new one if it has died."""
        with self._lock:
            if self._helper is not None:
                with contextlib.suppress(ConnectionError):
                    socket.send_fds(self._helper[1], [request], [caller.fileno()])
                    return
                self._stop()
            self._helper = _start()
            socket.send_fds(self._helper[1], [request], [caller.fileno()])

    def _stop(self) -> None:
        if self._helper is not None:
            process, control = self._helper
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            control.close()
            self._helper = None


def _answer(ours: socket.socket, seconds: float) -> bytes:
    """Return what comes by a socket within the time; hang up and see the job ended if nothing does."""
    ours.settimeout(seconds)
    try:
        return ours.recv(16)
    except BaseException:  # an interrupt, too
        ours.shutdown(socket.SHUT_WR)
        ours.settimeout(_ENDING_SECONDS)
        with contextlib.suppress(TimeoutError):
            ours.recv(16)
        raise


def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps requests apart
    with theirs:
        process = subprocess.Popen(
            [*child_program.command(), "serve", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
    return process, ours


ZYGOTE = Zygote()
"""The helper of this process."""

if hasattr(os, "register_at_fork"):
    atexit.register(ZYGOTE.stop)
    os.register_at_fork(after_in_child=ZYGOTE.forget)
