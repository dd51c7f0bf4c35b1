"""Local alignment: dense optical flow for what moved by itself, followed only where that measurably helps.

Flow is always some guess; whether it helps is seen in the light. Asking the motions there and back to agree as well was
measured to lose a third of what flow gains, and continuing it into clipped areas from around them gained nothing: its
coarse levels do that already, and where both frames clip there is nothing to improve, so what stands still stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headroom.image import FloatImage
from headroom.restore.guide import Guide, guide_pair
from headroom.restore.warp import Places, pixel_places, warp

_WINDOW_PX = 7
"""Side of the window over which two guides are compared."""
_BETTER = (0.85, 0.7)
"""Of the difference that was there, what may remain: a share, less some codes."""
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
    moved, inside = warp(frame, lambda rows, columns: along(flow.motion[rows, columns], pixel_places(rows, columns)))
    return np.where((flow.used & inside)[..., None], moved, frame)


def local_flow(frame: Guide, reference: Guide) -> Flow:
    """Estimate how a globally aligned frame has to be moved, and where."""
    if min(frame.shape) < _LEAST_SIDE_PX:
        return Flow(np.zeros((*frame.shape, 2), np.float32), np.zeros(frame.shape, np.bool_))
    motion = dense_flow(frame, reference)
    before = _difference(frame, reference)
    after = _difference(_follow(frame, motion), reference)
    return Flow(motion, after < _BETTER[0] * before - _BETTER[1])


def dense_flow(frame: Guide, reference: Guide) -> NDArray[np.float32]:
    """Estimate where the frame shows each pixel of the reference, minus that pixel: h x w x 2."""
    import cv2

    estimator = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # Half size instead of a quarter finds thin things; the variational step then costs more than it brings.
    estimator.setFinestScale(1)
    estimator.setVariationalRefinementIterations(0)
    motion: NDArray[np.float32] = estimator.calc(reference, frame, None)
    return motion


def along(motion: NDArray[np.float32], places: Places) -> Places:
    """Move places along a motion."""
    return places[0] + motion[..., 0], places[1] + motion[..., 1]


def _follow(picture: Guide, motion: NDArray[np.float32]) -> Guide:
    """Fetch each pixel of a guide from where the motion says it is."""
    import cv2

    height, width = picture.shape
    x, y = along(motion, pixel_places(slice(0, height), slice(0, width)))
    fetched: Guide = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return fetched


def _difference(frame: Guide, reference: Guide) -> NDArray[np.float32]:
    """Mean absolute difference of two guides around each pixel, in codes."""
    import cv2

    difference = cv2.absdiff(frame, reference).astype(np.float32)
    mean: NDArray[np.float32] = cv2.blur(difference, (_WINDOW_PX, _WINDOW_PX))
    return mean
