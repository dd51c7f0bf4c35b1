"""The released fusion of LEDiff, `merge_model.pth`; everything else is released as diffusers has it."""

from __future__ import annotations

from headroom.methods.lediff.fusion import LatentFusion
from headroom.weights.layout import Layout, Part, unchanged


def layouts() -> tuple[Layout, ...]:
    """Return the layout of the fusion, whose names are ours."""
    part = Part("fusion", (unchanged(LatentFusion().state_dict().keys()),))
    return (Layout("lediff_fusion", "fusion of LEDiff", "not stated", (part,)),)
