"""Frames of a bracket compared without their places: by how bright their pixels are, in order.

The n-th darkest pixel of one exposure shows the same light as the n-th darkest of another, wherever the camera and the
things before it have moved (Grossberg and Nayar 2003, "Determining the camera response from images").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, Photo

COUNT = 256
"""Quantiles of each channel."""
_SAMPLE_SIDE_PX = 512
_USABLE_CODE = (0.08, 0.94)
_LEAST_LIGHT = np.float32(1e-9)

Quantiles = NDArray[np.float32]
"""COUNT x 3 code values in [0, 1], ascending along the first axis."""


def code_quantiles(photo: Photo) -> Quantiles:
    """Return the code values of a photo at evenly spaced ranks, by channel."""
    step = -(-max(photo.height, photo.width) // _SAMPLE_SIDE_PX)
    sample = photo.codes[::step, ::step].reshape(-1, 3)
    ranks = (np.arange(COUNT) + 0.5) / COUNT
    return (np.quantile(sample, ranks, axis=0) / photo.top_code).astype(np.float32)


def stops_between(darker: Quantiles, brighter: Quantiles, encodings: tuple[Encoding, Encoding]) -> NDArray[np.float32]:
    """Return log2 of how much more light the brighter frame holds, at every rank that neither clips nor crushes."""
    low, high = _USABLE_CODE
    usable = ((np.minimum(darker, brighter) > low) & (np.maximum(darker, brighter) < high)).all(axis=1)
    light = [
        decode_codes(codes[usable][None], encoding, 32)[0]
        for codes, encoding in zip((darker, brighter), encodings, strict=True)
    ]
    # A curve that gives a usable code no light at all is wrong by many stops, not by an infinite number.
    darker_light, brighter_light = (np.log2(np.maximum(linear, _LEAST_LIGHT)) for linear in light)
    stops: NDArray[np.float32] = brighter_light - darker_light
    return stops
