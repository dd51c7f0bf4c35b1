"""Frames of a bracket brought into the reference's framing: the camera's motion first, then what moved by itself.

A frame is touched only where that measurably helps, and a frame that doesn't belong is left out. Motion is estimated on
reduced pictures; every pixel is then fetched from the photo itself, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.image import FloatImage
from headroom.restore.flow import along
from headroom.restore.guide import reduce_to_cells, working_cell
from headroom.restore.homography import at_full_size
from headroom.restore.motion import STILL, Motion, Stranger, estimate_motion
from headroom.restore.warp import Places, SourceOf, pixel_places, project, warp

_FRAMES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Aligned:
    """Frames as the reference saw the scene, each still in its own exposure.

    Attributes:
        linear: H x W x 3 frames, 1.0 = their own full scale. Where a frame shows nothing, beyond its border or after a
            rejection, it holds the reference's light as that frame would have recorded it.
        valid: H x W of each frame, False where it holds the reference's light instead.
        rejected: Why a frame doesn't belong, by its index; goes on "is left out because".
        helped: Of each frame, whether moving it made it fit better; the others are as they were.
    """

    linear: list[FloatImage]
    valid: list[NDArray[np.bool_]]
    rejected: dict[int, str]
    helped: tuple[bool, ...]


def align(linear: Sequence[FloatImage], exposures: Sequence[float], reference: int) -> Aligned:
    """Align every frame of a bracket to its reference.

    Args:
        linear: Frames of one size, H x W x 3 in [0, 1], 1.0 = their own full scale; each is asked for once.
        exposures: Of each frame, in any common unit.
        reference: Index of the frame that stays as it is.
    """
    ours = linear[reference]
    cell = working_cell(*ours.shape[:2])
    small = reduce_to_cells(ours, cell)

    def motion_of(frame: FloatImage, index: int) -> Motion | Stranger:
        if index == reference:
            return STILL
        return estimate_motion(reduce_to_cells(frame, cell), small, exposures[index] / exposures[reference])

    def fit(index: int) -> _Fitted:
        frame = ours if index == reference else linear[index]
        motion = motion_of(frame, index)
        moved, inside = _move(frame, motion, cell)
        _fill(moved, inside, ours, exposures[index] / exposures[reference])
        return _Fitted(moved, inside, motion)

    with ThreadPoolExecutor(_FRAMES_AT_ONCE) as pool:
        fitted = list(pool.map(fit, range(len(exposures))))
    return Aligned(
        linear=[frame.moved for frame in fitted],
        valid=[frame.inside for frame in fitted],
        rejected={i: frame.motion.reason for i, frame in enumerate(fitted) if isinstance(frame.motion, Stranger)},
        helped=tuple(isinstance(frame.motion, Motion) and frame.motion.helps for frame in fitted),
    )


class _Fitted(NamedTuple):
    """One frame as the reference saw the scene, where it shows anything, and how it had to be moved."""

    moved: FloatImage
    inside: NDArray[np.bool_]
    motion: Motion | Stranger


def _move(frame: FloatImage, motion: Motion | Stranger, cell_px: int) -> tuple[FloatImage, NDArray[np.bool_]]:
    """Give a frame as the motion has it, and where that shows anything; the frame itself where nothing moves."""
    if isinstance(motion, Stranger):
        return np.zeros_like(frame), np.zeros(frame.shape[:2], np.bool_)
    if not motion.helps:
        return frame, np.ones(frame.shape[:2], np.bool_)
    return warp(frame, _source(motion, cell_px))


def _source(motion: Motion, cell_px: int) -> SourceOf:
    """Give the places of a motion that was estimated on cells at full size."""
    import cv2

    homography = at_full_size(motion.homography, cell_px)
    flow, used = motion.flow.motion * np.float32(cell_px), motion.flow.used.astype(np.float32)

    def source_of(rows: slice, columns: slice) -> Places:
        places = pixel_places(rows, columns)
        x, y = np.broadcast_arrays(*((place + 0.5) / cell_px - 0.5 for place in places))
        here, share = (
            cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in (flow, used)
        )
        return project(homography, along(here * (share > 0.5)[..., None], places))

    return source_of


def _fill(frame: FloatImage, inside: NDArray[np.bool_], reference: FloatImage, exposure_ratio: float) -> None:
    """Put the reference's light, as the frame would have recorded it, where the frame shows nothing; in place."""
    if inside.all():
        return
    for rows in strips(frame.shape):
        light = np.minimum(reference[rows] * np.float32(exposure_ratio), 1)
        np.copyto(frame[rows], light, where=~inside[rows, :, None])
