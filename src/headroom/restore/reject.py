"""Which frames don't belong to a bracket: noise, a lens cap, another scene, a wrong exposure.

Guides are compared block by block, wherever either shows something between black and clipped. Blocks that moved
disagree, so a small share of agreeing blocks is enough; two scenes agree by chance in hardly any.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.restore.guide import EV_PER_LOG_CODE, MID_TONES, TOP_CODE, Guide

_BLOCK_PX = 8
_LEAST_BLOCKS = 24
_TEXTURE_CODES, _TEXTURE_SIGMAS = 3.0, 2.0
_LEAST_CORRELATION = 0.4
_LEVEL_EV = 0.35
_ABOVE_CHANCE = 0.1
_BLACK_SHARE, _ABOVE_BLACK, _HIGHEST_BLACK = 0.01, 1.3, 2.4
"""The darkest share of a picture may be a black that scanner or haze has lifted; codes up to so many times as high
show nothing else. Lifted so many times above the usual black, it is no black."""
_LEAST_AGREEMENT = (0.25, 0.6)
"""Smallest share that is asked for, and largest: of a plain wall everything agrees by chance."""
_MOST_EXPOSURE_ERROR_EV = 1.0


class Agreement(NamedTuple):
    """How well a frame agrees with the reference.

    Attributes:
        blocks: How many blocks could be compared.
        share: Share of them that agree.
        by_chance: The same with the reference mirrored, which is as like and as unlike as another scene.
        brighter_ev: How much brighter the frame's guide is; 0 where that can't be told.
    """

    blocks: int
    share: float
    by_chance: float
    brighter_ev: float


def agreement(frame: Guide, reference: Guide, shown: NDArray[np.bool_], darkest: float) -> Agreement:
    """Compare a frame with the reference.

    Args:
        frame: h x w guide, aligned as well as possible.
        reference: h x w guide.
        shown: h x w, where the frame shows anything.
        darkest: Code below which one of them shows noise.
    """
    lifted = _ABOVE_BLACK * max(float(np.quantile(guide, _BLACK_SHARE)) for guide in (frame, reference))
    darkest = max(darkest, min(lifted, _HIGHEST_BLACK * darkest))
    blocks, share, brighter_ev = _compare(frame, reference, shown, darkest)
    _, by_chance, _ = _compare(frame, reference[:, ::-1], shown, darkest)
    return Agreement(blocks, share, by_chance, brighter_ev)


def reason_to_reject(found: Agreement, error_ev: float) -> str | None:
    """Say why a frame doesn't belong, or None where it does or nothing speaks against it.

    Args:
        found: Of guides whose exposures were matched.
        error_ev: How much brighter the frame is than its exposure says.
    """
    if found.blocks < _LEAST_BLOCKS:
        return None
    needed = float(np.clip(found.by_chance + _ABOVE_CHANCE, *_LEAST_AGREEMENT))
    if found.share < needed:
        return (
            f"it shows something else than the reference: they agree in {found.share:.0%} of what both should show, "
            f"and {needed:.0%} are needed"
        )
    if abs(error_ev) > _MOST_EXPOSURE_ERROR_EV:
        return (
            f"it is {abs(error_ev):.1f} stops {'brighter' if error_ev > 0 else 'darker'} than its exposure says, "
            f"and {_MOST_EXPOSURE_ERROR_EV:.0f} stop is allowed"
        )
    return None


def _compare(frame: Guide, reference: Guide, shown: NDArray[np.bool_], darkest: float) -> tuple[int, float, float]:
    """Give the blocks that can be compared, the share that agrees, and how much brighter the frame is, in EV."""
    theirs, ours = _in_blocks(frame), _in_blocks(reference)
    tells = [(means > darkest) & (means < TOP_CODE) for means in (theirs.mean(axis=1), ours.mean(axis=1))]
    kept = (tells[0] | tells[1]) & _in_blocks(shown).all(axis=1)
    theirs, ours = theirs[kept], ours[kept]
    if not len(ours):
        return 0, 1.0, 0.0
    levels = np.stack((theirs.mean(axis=1), ours.mean(axis=1)))
    brighter_ev = EV_PER_LOG_CODE * np.subtract(*np.log(np.maximum(levels, 1)))
    alike = _correlation(theirs, ours) > _LEAST_CORRELATION
    told = alike & (levels > max(darkest, MID_TONES[0])).all(axis=0) & (levels < MID_TONES[1]).all(axis=0)
    common_ev = float(np.median(brighter_ev[told])) if told.sum() >= _LEAST_BLOCKS else 0.0
    smooth = _smooth(theirs) & _smooth(ours)
    agrees = (np.abs(brighter_ev - common_ev) < _LEVEL_EV) & (alike | smooth)
    return len(ours), float(agrees.mean()), common_ev


def _smooth(blocks: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell which blocks show no more than noise, which a quarter of a picture is taken to do."""
    squares = blocks.reshape(-1, _BLOCK_PX, _BLOCK_PX)
    a, b, c, d = (squares[:, y::2, x::2] for y in (0, 1) for x in (0, 1))
    noise = np.sqrt(((a - b - c + d) ** 2).mean(axis=(1, 2))) / 2  # differences that know nothing of slopes
    return np.asarray(blocks.std(axis=1) < max(_TEXTURE_CODES, _TEXTURE_SIGMAS * float(np.quantile(noise, 0.25))))


def _correlation(theirs: NDArray[np.float32], ours: NDArray[np.float32]) -> NDArray[np.float32]:
    theirs, ours = (blocks - blocks.mean(axis=1, keepdims=True) for blocks in (theirs, ours))
    size = np.sqrt((theirs**2).sum(axis=1) * (ours**2).sum(axis=1))
    return np.asarray((theirs * ours).sum(axis=1) / np.maximum(size, 1e-6))


def _in_blocks(picture: NDArray[Any]) -> NDArray[np.float32]:
    """Cut a picture into blocks: N x pixels of a block; what is left at the right and bottom is dropped."""
    rows, columns = (side // _BLOCK_PX for side in picture.shape)
    cut = picture[: rows * _BLOCK_PX, : columns * _BLOCK_PX].astype(np.float32)
    blocks = cut.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).transpose(0, 2, 1, 3)
    return blocks.reshape(-1, _BLOCK_PX**2)
