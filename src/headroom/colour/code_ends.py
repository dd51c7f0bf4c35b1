"""Near both ends of their range, codes of a photo tell nothing of the light: where that begins."""

from __future__ import annotations

BLOWN_CODE = 250 / 255
"""Share of full scale from which on a channel counts as clipped, since compression moves codes below the top one."""

CRUSHED_BELOW_CODE = 8
"""Codes of 255 below it are crushed: rounding and compression leave nothing of what was there."""

CRUSH_LEVEL = CRUSHED_BELOW_CODE / 255 / 12.92
"""The light of that code in sRGB, whose curve is straight there."""
