"""The heap of a process that works on tile after tile."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT_BYTES = 512 * 2**20
_OWN_PAGES_BYTES = 32 * 2**20
"""The largest that glibc takes: beyond it, memory goes back to the system as soon as it is freed."""


def keep_freed_memory() -> None:
    """Have glibc keep what a tile or a training step has freed for the next one; elsewhere nothing happens.

    By default each gets fresh pages, which the kernel clears; that took a fifth of the time of merging.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
