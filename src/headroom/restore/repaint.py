"""Running an enhance network on values of any primaries and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from headroom.colour.strips import strips
from headroom.image import FloatImage, Primaries
from headroom.methods.contract import EnhanceInput, Progress, Sampling
from headroom.nn.padding import pad_to_multiple
from headroom.restore.network import Loaded
from headroom.restore.plan import Plan
from headroom.restore.srgb_like import between_primaries
from headroom.restore.unknown import Mask

_SEEN_PRIMARIES: Primaries = "bt709"
"""Those of the photos that networks were trained on."""


@dataclass(frozen=True, slots=True)
class Painter:
    """An enhance network, ready to be run.

    Attributes:
        loaded: The network.
        plan: Where it runs, and how far its view is reduced.
        generator: Source of its random numbers.
        sampling: How it makes content up.
    """

    loaded: Loaded
    plan: Plan
    generator: torch.Generator
    sampling: Sampling

    def paint(self, values: FloatImage, unknown: Mask, primaries: Primaries, progress: Progress) -> FloatImage:
        """Run the network; what it leaves as it is comes back as it is.

        Args:
            values: h x w x 3 sRGB-like, in [0, 1].
            unknown: h x w, 1 where content may be made up.
            primaries: Of the values.
            progress: Told the finished share.

        Returns:
            h x w x 3 in [0, 1], whatever the weights.
        """
        seen = between_primaries(values, primaries, _SEEN_PRIMARIES)
        painted = self._run(seen, unknown, progress)
        if primaries == _SEEN_PRIMARIES:
            return painted
        for rows in strips(values.shape):
            # Colours that BT.709 lacks stay where the network leaves those that it saw in their place.
            after, before = (between_primaries(part[rows], _SEEN_PRIMARIES, primaries) for part in (painted, seen))
            painted[rows] = np.clip(values[rows] + (after - before), 0, 1)
        return painted

    @torch.inference_mode()
    def _run(self, seen: FloatImage, unknown: Mask, progress: Progress) -> FloatImage:
        height, width = seen.shape[:2]
        needs = self.loaded.preset.capabilities
        planes = torch.from_numpy(seen).permute(2, 0, 1)[None], torch.from_numpy(unknown)[None, None].float()
        encoded, mask = (
            pad_to_multiple(plane, needs.size_multiple, needs.minimum_size_px).to(self.plan.device) for plane in planes
        )
        inputs = EnhanceInput(encoded, mask, self.sampling)
        with self.plan.precision():
            output: Tensor = self.loaded.method.run(self.loaded.network, inputs, self.generator, progress)
        # In place: if this is what the method was given, nothing changes.
        finite = output[0, :, :height, :width].float().cpu().nan_to_num_(nan=0.0).clamp_(0, 1)
        return finite.permute(1, 2, 0).numpy()
