"""Which curve turns a photo's codes into light, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

from headroom.image import Encoding, Photo

_ASSUMED_UNCERTAINTY_STOPS = 0.35


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve with its certainty.

    Attributes:
        encoding: Curve and primaries.
        uncertainty_stops: Standard deviation of the linearised mid-tones against the true light, in stops; 0 for a
            curve that the file names.
    """

    encoding: Encoding
    uncertainty_stops: float


def linearise(photo: Photo) -> Curve:
    """Settle a photo's curve: the one its file names, else sRGB."""
    if photo.encoding.known:
        return Curve(photo.encoding, 0.0)
    return Curve(photo.encoding, _ASSUMED_UNCERTAINTY_STOPS)
