"""How bright a file says that it is: MaxCLL and MaxFALL (CTA-861.3), the mastering display (SMPTE ST 2086), others."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_UNITS = 10_000  # of a cd/m2
_BEHIND_COLOURS = 16  # two bytes for x and y of red, green, blue and white


@dataclass(frozen=True, slots=True)
class LightLevels:
    """What a file states, in cd/m2; None where it does not.

    Attributes:
        max_cll_nits: Largest of any component of any pixel.
        max_fall_nits: Mean over the pixels of their largest component.
        mastering_nits: Darkest and brightest light of the display on which the picture was judged.
        intensity_target_nits: JPEG XL's own number; see `headroom.io.jxl_codestream`.
    """

    max_cll_nits: float | None = None
    max_fall_nits: float | None = None
    mastering_nits: tuple[float, float] | None = None
    intensity_target_nits: float | None = None


NOT_STATED = LightLevels()
"""Of files that say nothing about it."""


def stated(levels: bytes, display: bytes) -> LightLevels:
    """Return what a `clli` box or `cLLI` chunk and an `mdcv` box or `mDCV` chunk say; 0 means unknown.

    Each is empty where the file has none. The box of levels holds cd/m2 in 4 bytes, all others hold ten-thousandths.
    """
    cll, fall = struct.unpack(">HH", levels) if len(levels) == 4 else (units / _UNITS for units in _pair(levels, 0))
    brightest, darkest = (units / _UNITS for units in _pair(display, _BEHIND_COLOURS))
    return LightLevels(cll or None, fall or None, (darkest, brightest) if brightest else None)


def _pair(block: bytes, at: int) -> tuple[int, int]:
    return struct.unpack_from(">II", block, at) if len(block) == at + 8 else (0, 0)
