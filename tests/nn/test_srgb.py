"""The curve of tensors is that of images."""

from __future__ import annotations

import numpy as np
import torch

from headroom.colour.transfer import decode
from headroom.nn.srgb import srgb_light


def test_it_is_the_curve_of_images() -> None:
    codes = np.linspace(0, 1, 1001, dtype=np.float32)
    np.testing.assert_allclose(srgb_light(torch.from_numpy(codes)).numpy(), decode(codes, "srgb"), rtol=1e-5)
