"""What will run where, and whether it fits, decided before any work starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from headroom.errors import InsufficientMemory
from headroom.methods.contract import Capabilities

_SMALLEST_TILE_PX = 128
_STRIP_BYTES = 4 * 2**20
"""Of one float32 strip: small enough to stay in a processor's cache, and many strips have nothing to recover."""
_BYTES_PER_PIXEL = 32
"""Of the photo, its masks and its result while they are held together, measured on 8-bit photos."""
TILED_BYTES_PER_PIXEL = 28
"""On top, for a full-resolution gain: the coarse one, the sum of tiles and their weights, all float32."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one photo is worked on.

    Attributes:
        device: Where the network runs.
        dtype: Of its convolutions and products; bfloat16 where that gives the same picture sooner.
        cell_px: Side of the square of pixels that becomes one input cell of a method that sees the whole photo.
        tile_px: Tile side of a method that works at full resolution; 0 for the others.
        strip_rows: Rows that are composed at a time.
    """

    device: torch.device
    dtype: torch.dtype
    cell_px: int
    tile_px: int
    strip_rows: int

    def precision(self) -> torch.autocast:
        """Give the context in which networks compute in `dtype`."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)


def make_plan(
    height: int,
    width: int,
    capabilities: Capabilities,
    free_bytes: int | None = None,
    held_bytes_per_pixel: int | None = None,
) -> Plan:
    """Plan the work on one photo or bracket.

    Args:
        height: Rows.
        width: Columns.
        capabilities: What the method needs.
        free_bytes: Memory that may be used; measured when None.
        held_bytes_per_pixel: Memory that is taken beside the network; that of expanding a photo when None.

    Raises:
        InsufficientMemory: Not even the smallest tiles fit.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dtype = torch.bfloat16 if capabilities.half_precision and _multiplies_bfloat16(device) else torch.float32
    free = free_memory() if free_bytes is None else free_bytes
    held = held_bytes_per_pixel
    if held is None:
        held = _BYTES_PER_PIXEL + (0 if capabilities.working_side_px else TILED_BYTES_PER_PIXEL)
    room = free - held * height * width - 2 * _STRIP_BYTES
    strip_rows = max(16, _STRIP_BYTES // (12 * width))
    if capabilities.working_side_px:
        cell = -(-max(height, width) // capabilities.working_side_px)
        need = capabilities.peak_bytes_per_pixel * capabilities.working_side_px**2
        if need > room:
            raise _too_large(height, width, free, free + need - room)
        # A strip starts and ends between two cells.
        return Plan(device, dtype, cell, 0, max(cell, strip_rows // cell * cell))
    tile = capabilities.tile_px
    # Every tile has to reach beyond its overlaps.
    smallest = max(_SMALLEST_TILE_PX, 2 * capabilities.overlap_px)
    while tile > smallest and capabilities.peak_bytes_per_pixel * tile**2 > room:
        tile = max(tile // 2, smallest)
    if (need := capabilities.peak_bytes_per_pixel * tile**2) > room:
        raise _too_large(height, width, free, free + need - room)
    return Plan(device, dtype, 1, tile, strip_rows)


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Tell whether a device has instructions for it; without, it is slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    of_processor: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(of_processor.get(name) for name in ("avx512_bf16", "amx_bf16"))


def free_memory() -> int:
    """Give the bytes this process may still take, from the system and from its control group."""
    free = _available_in_system()
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            continue  # not in such a group, or a group without a limit
    return free


def _available_in_system() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError):
        return 4 * 2**30  # no way to ask on this system; a size that every supported machine has


def _too_large(height: int, width: int, free: int, need: int) -> InsufficientMemory:
    return InsufficientMemory(
        f"{width} x {height} pixels need about {need / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free. "
        "Close other programs or scale the photo down."
    )
