"""What holds in the process while a run lasts: threads, exact sums, and a Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch


@contextmanager
def held_interrupt() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; a second one raises KeyboardInterrupt at once.

    Only the main thread hears signals: in any other the event is never set.
    """
    asked = threading.Event()

    def hold(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, hold)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def ignore_interrupts(_worker: int) -> None:
    """Leave Ctrl-C, which a terminal sends to every process, to the training process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def exact_torch(threads: int, *, exact: bool) -> Iterator[None]:
    """Set torch's threads (0 leaves them) and, when `exact`, only algorithms that give equal bits in every run."""
    threads_before = torch.get_num_threads()
    exact_before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    fill_before = memory.fill_uninitialized_memory
    torch.set_num_threads(threads or threads_before)
    torch.use_deterministic_algorithms(exact or exact_before)
    memory.fill_uninitialized_memory = False  # It guards against reading garbage, and takes time.
    try:
        yield
    finally:
        torch.set_num_threads(threads_before)
        torch.use_deterministic_algorithms(exact_before)
        memory.fill_uninitialized_memory = fill_before
