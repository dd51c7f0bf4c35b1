"""Pictures that are blurred along random lines: what Sagiri's second stage is pre-trained to mend.

The blur stands for what a first stage leaves of blown and crushed places. The paper names the steps; the numbers are
those of its released code, which knows a fine and a coarse kind, at 512 px.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from headroom.image import FloatImage

_DRAWN_PX = 512
"""Short side of the picture that lines are drawn on."""

_SOFTENING_PX = 21
_BLUR_PX = 20.0


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Ranges that lines are drawn from, ends included; those given are the fine kind.

    Attributes:
        lines: Number of lines in a picture.
        thickness_px: Of each line, where the short side has 512.
        dilation_px: Side of the square that lines are dilated with.
        dilations: How often they are.
    """

    lines: tuple[int, int] = (2, 5)
    thickness_px: tuple[int, int] = (5, 15)
    dilation_px: tuple[int, int] = (2, 4)
    dilations: tuple[int, int] = (2, 4)


COARSE = LineSettings(lines=(3, 5), thickness_px=(20, 40), dilation_px=(3, 5), dilations=(3, 5))


class Blurred(NamedTuple):
    """Pictures that lost detail.

    Attributes:
        pictures: N x 3 x H x W in [0, 1].
        mask: N x 1 x H x W, 1 wherever something changed, else 0.
    """

    pictures: Tensor
    mask: Tensor


def blur_along_lines(pictures: Tensor, settings: LineSettings, generator: torch.Generator) -> Blurred:
    """Blend N x 3 x H x W pictures in [0, 1] with a heavily blurred version of each, along random lines."""
    softness = torch.stack([_soft_lines(pictures.shape[2:], settings, generator) for _ in pictures])
    blurred = torch.stack([_blur(picture) for picture in pictures])
    return Blurred(torch.lerp(pictures, blurred, softness), (softness > 0).to(pictures.dtype))


def _soft_lines(size: torch.Size, settings: LineSettings, generator: torch.Generator) -> Tensor:
    """Draw lines with soft edges: 1 x H x W in [0, 1]."""

    def integer(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (1,), generator=generator))

    height, width = size
    scale = _DRAWN_PX / min(height, width)
    canvas = np.zeros((round(height * scale), round(width * scale)), np.float32)
    for _ in range(integer(*settings.lines)):
        start, end = ((integer(0, canvas.shape[1] - 1), integer(0, canvas.shape[0] - 1)) for _ in range(2))
        cv2.line(canvas, start, end, 1.0, integer(*settings.thickness_px))
    side = integer(*settings.dilation_px)
    canvas = cv2.dilate(canvas, np.ones((side, side)), iterations=integer(*settings.dilations))
    canvas = cv2.GaussianBlur(canvas, (_SOFTENING_PX, _SOFTENING_PX), 0)
    # Means over areas keep a line that has become thinner than a pixel.
    return torch.from_numpy(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA).clip(0, 1))[None]


def _blur(picture: Tensor) -> Tensor:
    image: FloatImage = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
    sigma = _BLUR_PX * min(image.shape[:2]) / _DRAWN_PX
    return torch.from_numpy(cv2.GaussianBlur(image, (0, 0), sigma)).permute(2, 0, 1)
