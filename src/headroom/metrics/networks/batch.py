"""Pictures as networks take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from headroom.image import FloatImage


def as_batch(picture: FloatImage) -> Tensor:
    """Turn an H x W x 3 picture into a batch of one, 1 x 3 x H x W float32."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32))
