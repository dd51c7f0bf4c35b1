"""PIQE: how distorted the blocks of a picture look, without reference or training; and of an HDR picture through PU21.

Venkatanath, Praneeth, Chandrasekhar, Channappayya, Medasani, "Blind image quality evaluation using perception based
features", NCC 2015, as MATLAB's `piqe` computes it. PU21-PIQE is `piqe(pu21.encode(light))`, as in Hanji, Mantiuk,
Eilertsen, Hajisharif, Unger, "Comparison of single image HDR reconstruction methods - the caveats of quality
assessment", SIGGRAPH 2022. Of an expanded photo, also that of the blocks alone of which half or more is clipped.

Less is not more like a photograph: the brightest value is scaled to code 255, so truths, whose lamps leave few codes to
the rest, count as worse than photos that clip. Compare with the truths' own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headroom.colour.code_ends import BLOWN_CODE
from headroom.metrics.brisque_features import Picture, contrast_normalised, grey_codes, in_blocks, to_grey
from headroom.metrics.contract import Metric, plain
from headroom.metrics.pu21 import pu21_encode

_BLOCK_PX, _SEGMENT_PX = 16, 6
_ACTIVE_VARIANCE, _FLAT_DEVIATION = 0.1, 0.1
_LEAST_SHARE = 0.5


def piqe(codes: NDArray[np.floating]) -> float:
    """Give the PIQE of an SDR picture.

    Args:
        codes: H x W x 3, code values in [0, 1].

    Returns:
        From 0, excellent, to 100, bad or without any texture.
    """
    return _piqe(grey_codes(codes))


def pu21_piqe(light_nits: NDArray[np.floating], where: NDArray[np.bool_] | None = None) -> float:
    """Give the PIQE of an HDR picture, PU21-encoded.

    Args:
        light_nits: H x W x 3, linear BT.709, cd/m2.
        where: H x W; only blocks count of which this is half or more.

    Returns:
        From 0, excellent, to 100, bad or without any texture.
    """
    return _piqe(to_grey(pu21_encode(light_nits)), where)


def _piqe(grey: Picture, where: NDArray[np.bool_] | None = None) -> float:
    blocks = _blocks(grey)
    if where is not None:
        blocks = blocks[in_blocks(_whole(where), _BLOCK_PX).mean(axis=(1, 2)) >= _LEAST_SHARE]
    variance = blocks.var(axis=(1, 2), ddof=1)
    active = variance > _ACTIVE_VARIANCE
    blocks, variance = blocks[active], variance[active]
    distortion = _has_flat_edge(blocks) * (1 - variance) + _is_noisy(blocks, variance) * variance
    return float(100 * (distortion.sum() + 1) / (len(blocks) + 1))


def _blocks(grey: Picture) -> Picture:
    """Give blocks x 16 x 16 of the picture, scaled to codes up to 255 and normalised; the last ones are mirrored."""
    whole = _whole(grey)
    codes = np.round(255 * whole / max(whole.max(), np.finfo(np.float64).tiny))
    return in_blocks(contrast_normalised(codes, cv2.BORDER_REPLICATE), _BLOCK_PX)


def _whole(picture: NDArray[Any]) -> NDArray[Any]:
    """Mirror what is missing of the last blocks."""
    height, width = picture.shape
    return np.pad(picture, ((0, -height % _BLOCK_PX), (0, -width % _BLOCK_PX)), mode="symmetric")


def _has_flat_edge(blocks: Picture) -> NDArray[np.bool_]:
    """Tell the blocks of which a piece of an edge varies too little, as blocks of JPEG do."""
    edges = np.stack([blocks[:, 0], blocks[:, -1], blocks[:, :, 0], blocks[:, :, -1]], axis=1)
    segments = np.lib.stride_tricks.sliding_window_view(edges, _SEGMENT_PX, axis=2)
    return np.asarray((segments.std(axis=3, ddof=1) < _FLAT_DEVIATION).any(axis=(1, 2)))


def _is_noisy(blocks: Picture, variance: Picture) -> NDArray[np.bool_]:
    """Tell the blocks that vary as much in their two middle columns as elsewhere, as noise does."""
    middle = _BLOCK_PX // 2
    centre = blocks[:, :, middle - 1 : middle + 1].std(axis=(1, 2), ddof=1)
    # MATLAB's program takes column 10 for the second middle one here, and so do all scores that were published.
    surround = np.delete(blocks, [middle - 1, middle + 1], axis=2).std(axis=(1, 2), ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((centre == 0) & (surround == 0), 0, centre / surround)
        deviation = np.sqrt(variance)
        return np.asarray(deviation > 2 * np.abs(deviation - ratio) / np.maximum(deviation, ratio))


_WHOLE = Metric(
    id="pu21_piqe",
    name="PU21-PIQE",
    direction="lower",
    domain="nits",
    unit="",
    limits=(0, 100),
    source="Venkatanath et al. 2015 on PU21-encoded BT.709, as Hanji et al. 2022",
    open=plain(lambda pair: pu21_piqe(pair.prediction)),
    compares=False,
)

METRICS = (
    _WHOLE,
    replace(
        _WHOLE,
        id="pu21_piqe_clipped",
        name="PU21-PIQE, clipped regions",
        source="the same, of blocks of which half or more is clipped",
        open=plain(lambda pair: pu21_piqe(pair.prediction, pair.known_codes.max(axis=2) >= BLOWN_CODE)),
        takes="codes",
    ),
    replace(
        _WHOLE,
        id="piqe",
        name="PIQE",
        domain="codes",
        source="Venkatanath et al. 2015",
        open=plain(lambda pair: piqe(pair.prediction)),
    ),
)
