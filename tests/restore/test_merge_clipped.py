from __future__ import annotations

import numpy as np

from headroom.restore.noise import Noise
from headroom.restore.support import Stack, support

SIDE = 24


def test_no_frame_darkens_what_another_one_clips() -> None:
    # The shortest frame shows something else there, as a branch that the wind moved; both others are clipped.
    shown = (0.15, 1.0, 1.0)
    stack = Stack(
        [np.full((SIDE, SIDE, 3), light, np.float32) for light in shown],
        seen=[np.ones((SIDE, SIDE), np.bool_)] * 3,
        exposures=(0.1, 0.4, 1.0),
        reference=2,
        noise=[Noise(1e-5, 1e-9)] * 3,
        tolerance=0.04,
        clip_level=[0.99] * 3,
    )
    found = support(stack)
    np.testing.assert_allclose(found.least, 1 / 0.4, rtol=1e-6)
    np.testing.assert_allclose(found.light, 1 / 0.4, rtol=1e-6)
