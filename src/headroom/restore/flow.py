"""Local alignment: dense optical flow for what moved by itself, used only where it measurably helps.

Flow rests on brightness, and where the reference is clipped there is none. There it is continued smoothly from the
surroundings, so that a sun behind a moving object keeps its shape.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.restore.guide import TOP_CODE, Guide, guide_pair
from headroom.restore.warp import pixel_grid, warp

_WINDOW_PX = 7
"""Side of the window over which two guides are compared."""
_LEAST_SIDE_PX = 16


class Flow(NamedTuple):
    """Motion at the size of the guides.

    Attributes:
        motion: h x w x 2: where the frame shows a pixel of the reference, minus that pixel; columns, rows.
        used: h x w, True where following the motion measurably helps.
    """

    motion: NDArray[np.float32]
    used: NDArray[np.bool_]


def refine(frame: FloatImage, reference: FloatImage, exposure_ratio: float) -> FloatImage:
    """Move what a globally aligned frame shows elsewhere than the reference to where the reference shows it.

    Args:
        frame: H x W x 3 linear, 1.0 = its own full scale.
        reference: H x W x 3, the same of the reference.
        exposure_ratio: Exposure of the frame over that of the reference.

    Returns:
        H x W x 3 in the frame's own scale; pixels that the flow doesn't improve are the frame's, unchanged.
    """
    flow = local_flow(*guide_pair(frame, reference, exposure_ratio))
    if not flow.used.any():
        return frame
    moved, inside = warp(frame, lambda rows, columns: pixel_grid(rows, columns) + flow.motion[rows, columns])
    return np.where((flow.used & inside)[..., None], moved, frame)


def local_flow(frame: Guide, reference: Guide) -> Flow:
    """Estimate how a globally aligned frame has to be moved, and where."""
    import cv2

    if min(frame.shape) < _LEAST_SIDE_PX:
        return Flow(np.zeros((*frame.shape, 2), np.float32), np.zeros(frame.shape, np.bool_))
    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    forward = estimator.calc(reference, frame, None)
    backward = estimator.calc(frame, reference, None)
    consistent = _consistent(forward, backward)
    clipped = reference >= TOP_CODE
    motion = _fill(forward, consistent & ~clipped)
    before = difference(frame, reference)
    after = difference(follow(frame, motion), reference)
    return Flow(motion, (after < 0.75 * before - 1) & (consistent | clipped))


def follow(picture: NDArray[Any], motion: NDArray[np.float32]) -> NDArray[Any]:
    """Fetch each pixel of a small picture from where the motion says it is."""
    import cv2

    height, width = motion.shape[:2]
    source = pixel_grid(slice(0, height), slice(0, width)) + motion
    fetched: NDArray[Any] = cv2.remap(picture, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return fetched


def difference(frame: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.float32]:
    """Mean absolute difference of two guides around each pixel, in codes."""
    import cv2

    mean: NDArray[np.float32] = cv2.blur(cv2.absdiff(frame, reference).astype(np.float32), (_WINDOW_PX, _WINDOW_PX))
    return mean


def _consistent(forward: NDArray[np.float32], backward: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Say where the way there and back ends where it began, to a pixel and a twentieth of the way."""
    back = follow(backward, forward)
    miss = np.linalg.norm(forward + back, axis=-1)
    return np.asarray(miss < 1 + 0.05 * np.linalg.norm(forward, axis=-1))


def _fill(motion: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Continue the known motion smoothly into what isn't known: means over ever larger cells, from coarse to fine."""
    import cv2

    weight = known.astype(np.float32)
    levels = [(motion * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        size = tuple(-(-side // 2) for side in reversed(levels[-1][1].shape))
        levels.append(tuple(cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in levels[-1]))
    filled = np.zeros((1, 1, 2), np.float32)
    for total, share in reversed(levels):
        coarse = cv2.resize(filled, share.shape[::-1], interpolation=cv2.INTER_LINEAR).reshape(total.shape)
        filled = total + (1 - share[..., None]) * coarse
    return filled
