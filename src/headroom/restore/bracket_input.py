"""Brackets as merge methods see them: as many frames as the method takes, whole or cut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from headroom.image import FloatImage
from headroom.methods.contract import MergeInput
from headroom.nn.padding import pad_to_multiple

_GAMMA = 2.2
_MISSING_SIDE = 4.0
"""Ratio to the exposure of a frame that stands in on both sides of a lone one."""


class Slot(NamedTuple):
    """One frame of a method's input.

    Attributes:
        frame: Index of the frame that fills it.
        exposure: Exposure that it is shown at; the frame's own, unless it stands in for one that was not taken.
    """

    frame: int
    exposure: float


def choose_slots(exposures: Sequence[float], reference: int, limits: tuple[int, int]) -> list[Slot]:
    """Reduce or complete a bracket to what a method takes, in ascending exposure.

    Of too many frames the reference and both ends stay, then those farthest in exposure from what is there already. A
    missing side is the reference's light re-exposed, as far away as the other side.

    Args:
        exposures: Of every frame, ascending.
        reference: Index of the reference.
        limits: Fewest and most frames that the method takes.
    """
    fewest, most = limits
    ev = np.log2(exposures)
    chosen = list(dict.fromkeys((reference, 0, len(ev) - 1)))[:most]
    while len(chosen) < min(most, len(ev)):
        distance = np.abs(ev[:, None] - ev[chosen]).min(axis=1)
        distance[chosen] = -1
        chosen.append(int(distance.argmax()))
    slots = [Slot(i, exposures[i]) for i in sorted(chosen)]
    while len(slots) < fewest:
        slots.insert(*_missing_side(slots, reference, exposures[reference]))
    return slots


def _missing_side(slots: Sequence[Slot], reference: int, own: float) -> tuple[int, Slot]:
    """Give the place and the filling of the side that reaches less far from the reference."""
    below, above = own / slots[0].exposure, slots[-1].exposure / own
    ratio = max(below, above) if max(below, above) > 1 else _MISSING_SIDE
    if below < above:
        return 0, Slot(reference, own / ratio)
    return len(slots), Slot(reference, own * ratio)


def merge_input(
    frames: Sequence[FloatImage], exposures: Sequence[float], reference: int, slots: Sequence[Slot]
) -> MergeInput:
    """Show aligned frames to a method.

    Args:
        frames: H x W x 3 linear light, 1.0 = the frame's own full scale.
        exposures: Of every frame.
        reference: Index of the reference.
        slots: What the method sees of them.

    Returns:
        A batch of one; its unit of light is full scale of the first slot.
    """
    shown = [np.minimum(frames[i] * np.float32(exposure / exposures[i]), 1) for i, exposure in slots]
    own = torch.from_numpy(np.stack(shown)).permute(0, 3, 1, 2)[None].contiguous()  # 1 x F x 3 x H x W
    exposure = torch.tensor([[slot.exposure / slots[0].exposure for slot in slots]])
    place = slots.index(Slot(reference, exposures[reference]))
    return MergeInput(own ** (1 / _GAMMA), own / exposure[..., None, None, None], exposure, torch.tensor([place]))


def pad_merge_input(inputs: MergeInput, multiple: int, minimum_px: int) -> MergeInput:
    """Repeat the last row and column of each frame of a batch of one; see `pad_to_multiple`."""

    def padded(frames: Tensor) -> Tensor:
        return pad_to_multiple(frames[0], multiple, minimum_px)[None]

    return inputs._replace(encoded=padded(inputs.encoded), linear=padded(inputs.linear))
