"""Which frames don't belong to a bracket: noise, a lens cap, another scene, a wrong exposure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headroom.restore.guide import TOP_CODE, Guide

_BLOCK_PX = 8
_DARKEST_CODE = 16
_LEAST_BLOCKS = 24
_LEAST_AGREEMENT = 0.3
"""Share of comparable blocks. People may fill a half of the picture; two scenes agree in a tenth by chance."""
_TEXTURE_CODES = 3.0
_LEAST_CORRELATION = 0.4
_LEVEL_EV = 0.35
_MOST_EXPOSURE_ERROR_EV = 1.0
_EV_PER_LOG_CODE = 2.2 / np.log(2)


def reason_to_reject(frame: Guide, reference: Guide, shown: NDArray[np.bool_]) -> str | None:
    """Say why a frame doesn't belong, or None where it does or nothing speaks against it.

    What moved is no reason: a small share of agreeing blocks is enough.

    Args:
        frame: h x w guide, aligned as well as possible.
        reference: h x w guide.
        shown: h x w, where the frame shows anything.
    """
    blocks = _Blocks(frame, reference, shown)
    if blocks.count < _LEAST_BLOCKS:
        return None
    error_ev = blocks.exposure_error_ev()
    agreement = blocks.agreement(error_ev)
    if agreement < _LEAST_AGREEMENT:
        return (
            f"it shows something else than the reference: they agree in {agreement:.0%} of what both should show, "
            f"and {_LEAST_AGREEMENT:.0%} are needed"
        )
    if abs(error_ev) > _MOST_EXPOSURE_ERROR_EV:
        return (
            f"it is {abs(error_ev):.1f} stops {'brighter' if error_ev > 0 else 'darker'} than its exposure says, "
            f"and {_MOST_EXPOSURE_ERROR_EV:.0f} stop is allowed"
        )
    return None


class _Blocks:
    """Blocks of two guides in which either shows something between black and clipped."""

    def __init__(self, frame: Guide, reference: Guide, shown: NDArray[np.bool_]) -> None:
        theirs, ours = _in_blocks(frame), _in_blocks(reference)
        means = theirs.mean(axis=1), ours.mean(axis=1)
        tells = ((means[0] > _DARKEST_CODE) & (means[0] < TOP_CODE)) | (
            (means[1] > _DARKEST_CODE) & (means[1] < TOP_CODE)
        )
        kept = tells & _in_blocks(shown).all(axis=1)
        self._theirs, self._ours = theirs[kept], ours[kept]
        self.count = int(kept.sum())

    def exposure_error_ev(self) -> float:
        """Median of how much brighter the frame is, over the blocks whose texture agrees."""
        alike = self._correlation() > _LEAST_CORRELATION
        return float(np.median(self._level_ev()[alike])) if alike.sum() >= _LEAST_BLOCKS else 0.0

    def agreement(self, error_ev: float) -> float:
        """Share of the blocks that agree in level, but for the exposure's error, and in texture where there is any."""
        textured = np.maximum(self._theirs.std(axis=1), self._ours.std(axis=1)) > _TEXTURE_CODES
        same_texture = ~textured | (self._correlation() > _LEAST_CORRELATION)
        return float(((np.abs(self._level_ev() - error_ev) < _LEVEL_EV) & same_texture).mean())

    def _level_ev(self) -> NDArray[np.float64]:
        level = [np.log(np.maximum(blocks.mean(axis=1), 1)) for blocks in (self._theirs, self._ours)]
        return np.asarray(_EV_PER_LOG_CODE * (level[0] - level[1]))

    def _correlation(self) -> NDArray[np.float64]:
        theirs, ours = (blocks - blocks.mean(axis=1, keepdims=True) for blocks in (self._theirs, self._ours))
        size = np.sqrt((theirs**2).sum(axis=1) * (ours**2).sum(axis=1))
        return np.asarray((theirs * ours).sum(axis=1) / np.maximum(size, 1e-6))


def _in_blocks(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Cut a picture into blocks: N x pixels of a block; what is left at the right and bottom is dropped."""
    rows, columns = (side // _BLOCK_PX for side in picture.shape)
    cut = picture[: rows * _BLOCK_PX, : columns * _BLOCK_PX].astype(np.float32)
    blocks = cut.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).transpose(0, 2, 1, 3)
    return blocks.reshape(-1, _BLOCK_PX**2)
