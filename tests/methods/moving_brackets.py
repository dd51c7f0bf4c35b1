"""Brackets to learn from, without a file."""

from __future__ import annotations

import torch

from headroom.methods.contract import MergeBatch


def moving(count: int = 2, side_px: int = 32) -> MergeBatch:
    """Make brackets of coloured noise in which a square hops."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.rand(count, 3, side_px, side_px, generator=generator) ** 2
    light = truth[:, None].repeat(1, 3, 1, 1, 1)
    light[:, 0, :, 4:12, 4:12], light[:, 2, :, 16:24, 8:16] = 0.1, 0.3
    exposure = torch.tensor([[1.0, 4.0, 16.0]]).expand(count, 3)
    own = (light * exposure.view(count, 3, 1, 1, 1)).clamp(max=1)
    linear = own / exposure.view(count, 3, 1, 1, 1)
    return MergeBatch(own ** (1 / 2.2), linear, exposure, torch.ones(count, dtype=torch.long), truth)
