"""Frames of a bracket brought into the reference's framing: the camera's motion first, then what moved by itself.

A frame is touched only where that measurably helps, and a frame that doesn't belong is left out. Motion is estimated on
reduced pictures; every pixel is then fetched from the photo itself, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.image import FloatImage
from headroom.restore.flow import Flow, along, local_flow
from headroom.restore.guide import guide_pair, working_cell
from headroom.restore.homography import at_full_size, estimate_homography, shows, warp_guide
from headroom.restore.reject import reason_to_reject
from headroom.restore.warp import Homography, Places, SourceOf, pixel_places, project, warp


@dataclass(frozen=True, slots=True)
class Aligned:
    """Frames as the reference saw the scene, each still in its own exposure.

    Attributes:
        linear: H x W x 3 frames, 1.0 = their own full scale. Where a frame shows nothing, beyond its border or after a
            rejection, it holds the reference's light as that frame would have recorded it.
        valid: H x W of each frame, False where it holds the reference's light instead.
        rejected: Why a frame doesn't belong, by its index.
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
    aligned, valid, helped = [], [], []
    rejected: dict[int, str] = {}
    for index, exposure in enumerate(exposures):
        if index == reference:
            frame, inside, moved = ours, np.ones(ours.shape[:2], np.bool_), False
        else:
            ratio = exposure / exposures[reference]
            frame, inside, moved, reason = _align_one(linear[index], ours, ratio)
            if reason is not None:
                rejected[index] = reason
        aligned.append(frame)
        valid.append(inside)
        helped.append(moved)
    return Aligned(aligned, valid, rejected, tuple(helped))


def _align_one(
    frame: FloatImage, reference: FloatImage, exposure_ratio: float
) -> tuple[FloatImage, NDArray[np.bool_], bool, str | None]:
    cell = working_cell(*frame.shape[:2])
    theirs, ours = guide_pair(frame, reference, exposure_ratio, cell)
    homography = estimate_homography(theirs, ours)
    seen = np.ones(ours.shape, np.bool_)
    if homography is not None:
        theirs, seen = warp_guide(theirs, homography), shows(homography, ours.shape)
    reason = reason_to_reject(theirs, ours, seen)
    if reason is not None:
        nothing = np.zeros(frame.shape[:2], np.bool_)
        return _filled(np.empty_like(frame), nothing, reference, exposure_ratio), nothing, False, reason
    flow = local_flow(theirs, ours)
    if homography is None and not flow.used.any():
        return frame, np.ones(frame.shape[:2], np.bool_), False, None
    full = np.eye(3) if homography is None else at_full_size(homography, cell)
    moved, inside = warp(frame, _source(full, flow, cell))
    return _filled(moved, inside, reference, exposure_ratio), inside, True, None


def _source(homography: Homography, flow: Flow, cell_px: int) -> SourceOf:
    """Compose both motions at full size: a pixel of the reference goes along the flow, then through the homography."""
    import cv2

    motion = flow.motion * np.float32(cell_px)
    used = flow.used.astype(np.float32)

    def source_of(rows: slice, columns: slice) -> Places:
        places = pixel_places(rows, columns)
        x, y = np.broadcast_arrays(*((place + 0.5) / cell_px - 0.5 for place in places))
        here = [cv2.remap(part, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for part in (motion, used)]
        return project(homography, along(here[0] * (here[1] > 0.5)[..., None], places))

    return source_of


def _filled(frame: FloatImage, inside: NDArray[np.bool_], reference: FloatImage, exposure_ratio: float) -> FloatImage:
    """Put the reference's light, as the frame would have recorded it, where the frame shows nothing; in place."""
    for rows in strips(frame.shape):
        light = np.minimum(reference[rows] * np.float32(exposure_ratio), 1)
        np.copyto(frame[rows], light, where=~inside[rows, :, None])
    return frame
