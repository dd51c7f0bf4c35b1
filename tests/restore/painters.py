"""Enhance methods of one line, for what has to hold whatever a network does."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from headroom.methods.contract import Capabilities, EnhanceInput, Method, Preset, Sampling
from headroom.restore.network import Loaded
from headroom.restore.plan import make_plan
from headroom.restore.repaint import Painter


def painter(
    function: Callable[[EnhanceInput], Tensor], height: int, width: int, *, working_side_px: int | None = 96
) -> Painter:
    """Give a method that sees photos at this size and paints as the function says."""
    capabilities = Capabilities(working_side_px=working_side_px, invents_content=working_side_px is None)
    preset = Preset(None, capabilities, (), "one line")
    method = Method(
        "one", "enhance", "one line", {"line": preset}, lambda _: nn.Identity(), lambda _network, x, *_: function(x)
    )
    plan = make_plan(height, width, capabilities)
    return Painter(Loaded(method, preset, "line", nn.Identity(), None), plan, torch.Generator(), Sampling())
