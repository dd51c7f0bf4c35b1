"""What a bracket leaves open is settled here: exposures, curve, order and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from headroom.colour.transfer import decode_codes
from headroom.errors import InputError, UsageError
from headroom.image import Bracket, Encoding, FloatImage, Photo
from headroom.limits import LIMITS
from headroom.restore.quantiles import Quantiles, code_quantiles, stops_between
from headroom.restore.response import better_encoding

_FEWEST_RANKS = 8
_CRUSHED_CODE, _CLIPPED_CODE = 0.05, 0.95
_MOST_UNUSABLE = 0.9
_WIDEST_EV = 40.0
"""More than light and darkness in one picture can differ; beyond it, an exposure is a slip or a damaged file."""


@dataclass(frozen=True, slots=True)
class SettledBracket:
    """A bracket in ascending exposure.

    Attributes:
        given: The frames with what was known about them.
        encodings: Curve of each frame.
        exposures: Over that of the shortest.
        reference: Index of the reference.
        warnings: What had to be assumed or estimated, in whole sentences.
    """

    given: Bracket
    encodings: tuple[Encoding, ...]
    exposures: tuple[float, ...]
    reference: int
    warnings: tuple[str, ...] = ()

    @property
    def photos(self) -> tuple[Photo, ...]:
        """The frames."""
        return self.given.frames

    def linear(self, i: int) -> FloatImage:
        """Return a frame's light, H x W x 3, 1.0 = its own full scale."""
        return decode_codes(self.photos[i].codes, self.encodings[i], self.photos[i].bit_depth)


def settle(bracket: Bracket) -> SettledBracket:
    """Sort a bracket by exposure and fill in what it leaves open.

    - Exposures that are not known for all frames are estimated from the pixels.
    - The files' curve, or sRGB, holds unless the exposures contradict it; then it is the one that fits them best. What
      cameras call sRGB seldom is, and what one photo alone cannot tell, several exposures can.
    - The reference is the frame of median exposure, unless most of that is clipped or black.

    Raises:
        InputError: Too few, too many or unequal frames, or exposures that cannot be estimated.
        UsageError: Not one exposure a frame, or no such reference.
    """
    _check(bracket)
    frames, warnings = bracket.frames, []
    encodings = [bracket.encoding or frame.encoding for frame in frames]
    quantiles = [code_quantiles(frame) for frame in frames]
    evs = [ev for ev in bracket.exposures_ev if ev is not None]
    if len(evs) < len(frames):
        evs = _estimate_evs(frames, quantiles, encodings)
        warnings.append(_estimated(frames, bracket.exposures_ev, evs))
    order = sorted(range(len(frames)), key=lambda i: (evs[i], _name(frames[i]), quantiles[i].mean()))
    reference = None if bracket.reference is None else order.index(bracket.reference)
    given = _some(bracket, order, reference)
    encodings, quantiles = [encodings[i] for i in order], [quantiles[i] for i in order]
    exposures = [2.0 ** (evs[i] - min(evs)) for i in order]
    if bracket.encoding is None and encodings[0].sensor_matrix is None:
        fitting = better_encoding(quantiles, exposures, encodings[0])
        if fitting is not None:
            encodings = [fitting] * len(frames)
            warnings.append(_contradicted(given.frames[0].encoding, fitting))
    chosen = _choose_reference(quantiles) if reference is None else reference
    return SettledBracket(given, tuple(encodings), tuple(exposures), chosen, tuple(warnings))


def settle_some(settled: SettledBracket, kept: Sequence[int], reference: int | None) -> SettledBracket:
    """Settle some frames of a bracket as if no others had been given; a lone one is as its file says.

    Args:
        settled: The bracket.
        kept: Which frames, in ascending order.
        reference: Which of `kept` is the reference; None to choose again.
    """
    some = _some(settled.given, kept, reference)
    if len(kept) > 1:
        return settle(some)
    return SettledBracket(some, (some.encoding or some.frames[0].encoding,), (1.0,), 0)


def _some(bracket: Bracket, kept: Sequence[int], reference: int | None) -> Bracket:
    frames, evs = tuple(bracket.frames[i] for i in kept), tuple(bracket.exposures_ev[i] for i in kept)
    return replace(bracket, frames=frames, exposures_ev=evs, reference=reference)


def _check(bracket: Bracket) -> None:
    frames = bracket.frames
    if not 2 <= len(frames) <= LIMITS.bracket_frames:
        raise InputError(f"A bracket has 2 to {LIMITS.bracket_frames} frames, not {len(frames)}. Give those.")
    if len(bracket.exposures_ev) != len(frames):
        raise UsageError(f"{len(bracket.exposures_ev)} exposures for {len(frames)} frames. Give one for each.")
    evs = [ev for ev in bracket.exposures_ev if ev is not None]
    if evs and not max(evs) - min(evs) <= _WIDEST_EV:  # a NaN passes no comparison
        named = ", ".join(
            f"{_name(frame)} {ev:g}" for frame, ev in zip(frames, bracket.exposures_ev, strict=True) if ev is not None
        )
        raise InputError(f"{named} EV: differ by more than {_WIDEST_EV:g} stops. Give the right ones with --ev.")
    if bracket.reference is not None and not 0 <= bracket.reference < len(frames):
        raise UsageError(f"reference {bracket.reference}: there are frames 0 to {len(frames) - 1}. Give one of them.")
    first = frames[0]
    for frame in frames[1:]:
        if (frame.width, frame.height) != (first.width, first.height):
            raise InputError(
                f"{_name(frame)}: is {frame.width} x {frame.height}, but {_name(first)} is {first.width} x "
                f"{first.height}. Give frames of one size."
            )
        if frame.encoding.primaries != first.encoding.primaries:
            raise InputError(
                f"{_name(frame)}: has {frame.encoding.primaries} colours, but {_name(first)} has "
                f"{first.encoding.primaries}. Give frames of one colour space."
            )


def _estimate_evs(
    frames: Sequence[Photo], quantiles: Sequence[Quantiles], encodings: Sequence[Encoding]
) -> list[float]:
    """Estimate exposures from the light that frames next to each other in brightness show at equal ranks."""
    order = sorted(range(len(frames)), key=lambda i: float(quantiles[i].mean()))
    evs = [0.0] * len(frames)
    for darker, brighter in pairwise(order):
        steps = stops_between(quantiles[darker], quantiles[brighter], (encodings[darker], encodings[brighter]))
        if len(steps) < _FEWEST_RANKS:
            raise InputError(
                f"{_name(frames[brighter])}: its exposure is not known, and it shares too little light with "
                f"{_name(frames[darker])} to estimate it. Give --ev."
            )
        evs[brighter] = evs[darker] + float(np.median(steps))
    return evs


def _estimated(frames: Sequence[Photo], evs: Sequence[float | None], estimates: Sequence[float]) -> str:
    missing = ", ".join(_name(frame) for frame, ev in zip(frames, evs, strict=True) if ev is None)
    values = ", ".join(f"{value - estimates[0]:+.2f}" for value in estimates)
    return (
        f"{missing}: no exposure is known, so all were estimated from the pixels: {values} EV. Give --ev if you know."
    )


def _contradicted(stated: Encoding, fitting: Encoding) -> str:
    return (
        f"The exposures contradict the curve {stated.transfer or 'of the colour profile'}, and fit "
        f"{fitting.transfer or 'one that was recovered from the frames'}, which is used. Give --curve if you know."
    )


def _choose_reference(quantiles: Sequence[Quantiles]) -> int:
    """Choose the median frame, of two the one with more usable pixels, or of all if the median has hardly any."""
    brightest = [codes.max(axis=1) for codes in quantiles]
    usable = [float(((codes > _CRUSHED_CODE) & (codes < _CLIPPED_CODE)).mean()) for codes in brightest]
    middle = max((len(usable) - 1) // 2, len(usable) // 2, key=usable.__getitem__)
    return middle if usable[middle] > 1 - _MOST_UNUSABLE else int(np.argmax(usable))


def _name(photo: Photo) -> str:
    return photo.source.name if photo.source else "a frame"
