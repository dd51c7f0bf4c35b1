"""How a frame of a bracket has to be moved to fit the reference, and whether it belongs there at all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headroom.image import FloatImage
from headroom.restore.camera_motion import estimate_camera_motion, refine_camera_motion
from headroom.restore.flow import Flow, local_flow
from headroom.restore.guide import Guide, darkest_code, exposure_error_ev, guide_pair
from headroom.restore.homography import shows, warp_guide
from headroom.restore.reject import agreement, reason_to_reject
from headroom.restore.warp import Homography

_NEGLIGIBLE_EV = 0.03


class Motion(NamedTuple):
    """From a pixel of the reference along the flow, then through the homography, to where the frame shows it.

    Attributes:
        homography: 3 x 3; identity where no other measurably helps.
        flow: What moved by itself.
    """

    homography: Homography
    flow: Flow

    @property
    def helps(self) -> bool:
        """Whether anything has to be moved."""
        return bool(self.flow.used.any()) or not np.array_equal(self.homography, np.eye(3))


STILL = Motion(np.eye(3), Flow(np.zeros((1, 1, 2), np.float32), np.zeros((1, 1), np.bool_)))
"""Nothing has to be moved."""


class Stranger(NamedTuple):
    """A frame that doesn't belong to the bracket.

    Attributes:
        reason: Why, in words that go on "is left out because".
    """

    reason: str


def estimate_motion(frame: FloatImage, reference: FloatImage, exposure_ratio: float) -> Motion | Stranger:
    """Estimate how a frame has to be moved.

    Exposures are only nominal, and a tenth of a stop looks like motion. So what both frames show corrects them.

    Args:
        frame: h x w x 3 linear, 1.0 = its own full scale.
        reference: h x w x 3, the same of the reference.
        exposure_ratio: Exposure of the frame over that of the reference.
    """
    view = _look(frame, reference, exposure_ratio, 0.0)
    if view.reason is not None:
        view = _look(frame, reference, exposure_ratio, exposure_error_ev(frame, reference, exposure_ratio))
    if view.reason is not None:
        return Stranger(view.reason)
    theirs, ours, homography = view.frame, view.reference, view.homography
    if abs(view.unexplained_ev) > _NEGLIGIBLE_EV:
        theirs, ours = guide_pair(frame, reference, exposure_ratio * 2**view.error_ev)
        homography = refine_camera_motion(homography, theirs, ours)
    return Motion(homography, local_flow(warp_guide(theirs, homography), ours))


class _View(NamedTuple):
    """Two guides, aligned, and whether they belong together."""

    frame: Guide
    reference: Guide
    homography: Homography
    reason: str | None
    unexplained_ev: float
    error_ev: float


def _look(frame: FloatImage, reference: FloatImage, exposure_ratio: float, error_ev: float) -> _View:
    """Align a frame that is brighter than its exposure says by `error_ev`."""
    ratio = exposure_ratio * 2**error_ev
    theirs, ours = guide_pair(frame, reference, ratio)
    homography = estimate_camera_motion(theirs, ours)
    found = agreement(warp_guide(theirs, homography), ours, shows(homography, ours.shape), darkest_code(ratio))
    error_ev += found.brighter_ev
    return _View(theirs, ours, homography, reason_to_reject(found, error_ev), found.brighter_ev, error_ev)
