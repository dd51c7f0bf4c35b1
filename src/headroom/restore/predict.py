"""Running an expand network over a photo of any size: its log2 gain, by rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.methods.contract import ExpandInput, Progress
from headroom.restore.compose import GainRows, cells_to_rows, no_gain
from headroom.restore.network import Loaded
from headroom.restore.plan import Plan
from headroom.restore.reduce import pad_input, reduced_input
from headroom.restore.tile import run_tiled


class Gains(NamedTuple):
    """What a network says about a photo's light; see `Method.run`.

    Attributes:
        lights: For its clipped codes.
        shadows: For its crushed ones.
    """

    lights: GainRows
    shadows: GainRows


Predict = Callable[[NDArray[np.uint8], NDArray[np.bool_]], Gains]
"""Gives the gains of 8-bit sRGB-like codes, H x W x 3, of which some are clipped."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """An expand network, ready to be run on one photo.

    Attributes:
        loaded: The network.
        plan: Where it runs, and in which pieces.
        seed: Of its random numbers.
        progress: Told the finished share.
    """

    loaded: Loaded
    plan: Plan
    seed: int
    progress: Progress

    @torch.inference_mode()
    def __call__(self, codes: NDArray[np.uint8], clipped: NDArray[np.bool_]) -> Gains:
        """Run the network over the whole photo or in tiles; see `Predict`."""
        generator = torch.Generator(self.plan.device).manual_seed(self.seed)
        if self.plan.tile_px:
            overlap_px = self.loaded.preset.capabilities.overlap_px
            gain = run_tiled(
                lambda tile: self._run(tile, generator, lambda _share: None),
                codes,
                clipped,
                tile_px=self.plan.tile_px,
                overlap_px=overlap_px,
                progress=self.progress,
            )

            def rows(start: int, stop: int) -> Tensor:
                return torch.from_numpy(gain[start:stop])

            return Gains(rows, rows)
        inputs = reduced_input(codes, clipped, self.plan.cell_px)
        cells = self._run(inputs, generator, self.progress)
        self.progress(1.0)

        def rows_for(share: Tensor | None) -> GainRows:
            return no_gain if share is None else cells_to_rows(cells, share, self.plan.cell_px, codes.shape[1])

        return Gains(rows_for(inputs.clipped), rows_for(inputs.crushed))

    def _run(self, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
        """Pad, run and crop."""
        capabilities = self.loaded.preset.capabilities
        height, width = inputs.encoded.shape[2:]
        padded = pad_input(inputs, capabilities.size_multiple, capabilities.minimum_size_px)
        on_device = padded.mapped(lambda tensor: tensor.to(self.plan.device))
        with self.plan.precision():
            gain = self.loaded.method.run(self.loaded.network, on_device, generator, progress)
        finite = torch.nan_to_num(gain.float(), nan=0.0, posinf=0.0, neginf=0.0)
        return finite[:, :, :height, :width].cpu()
