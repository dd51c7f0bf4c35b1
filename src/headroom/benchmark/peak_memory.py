"""The most memory that a piece of work held."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

_Result = TypeVar("_Result")


def with_peak(work: Callable[[], _Result]) -> tuple[_Result, int]:
    """Do some work, and give its result and the most bytes that this process held meanwhile, those of a GPU included.

    Where the system cannot forget an earlier peak (any but Linux), it is the peak since the process began.
    """
    _forget()
    result = work()
    gpu = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
    return result, _resident_peak() + gpu


def _forget() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc_pid_clear_refs(5)
    except OSError:
        return


def _resident_peak() -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
