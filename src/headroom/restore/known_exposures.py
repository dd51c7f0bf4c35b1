"""Brackets whose exposures are known, until `exposures.settle` takes over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headroom.colour.transfer import decode_codes
from headroom.errors import InputError
from headroom.image import Bracket, FloatImage, Photo


@dataclass(frozen=True, slots=True)
class SettledBracket:
    """A bracket in ascending exposure.

    Attributes:
        photos: The frames.
        exposures: Over that of the shortest.
        reference: Index of the reference.
        warnings: What had to be assumed.
    """

    photos: tuple[Photo, ...]
    exposures: tuple[float, ...]
    reference: int
    warnings: tuple[str, ...] = ()

    def linear(self, i: int) -> FloatImage:
        """Return a frame's light, 1.0 = its own full scale."""
        return decode_codes(self.photos[i].codes, self.photos[i].encoding, self.photos[i].bit_depth)


def settle(bracket: Bracket) -> SettledBracket:
    """Sort the frames by exposure."""
    if bracket.exposures_ev is None or len(bracket.frames) < 2:
        raise InputError("bracket: give two frames or more, and their exposures.")
    order = np.argsort(bracket.exposures_ev, kind="stable")
    photos = tuple(bracket.frames[i] for i in order)
    exposures = tuple(float(2.0 ** (bracket.exposures_ev[i] - min(bracket.exposures_ev))) for i in order)
    reference = len(order) // 2 if bracket.reference is None else int(np.flatnonzero(order == bracket.reference)[0])
    return SettledBracket(photos, exposures, reference)
