"""What a file holds besides its picture, and nobody is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headroom.image import Hdr, Photo

_MOST_CHARACTERS = 200


def alpha_of(stored: NDArray[Any], bit_depth: int) -> tuple[str, ...]:
    """Name the alpha channel of an H x W x 2 or x 4 raster, unless it is opaque all over."""
    if stored.ndim != 3 or stored.shape[2] not in {2, 4}:
        return ()
    opaque = 2**bit_depth - 1 if np.issubdtype(stored.dtype, np.integer) else 1.0
    return ("alpha",) if stored[..., -1].min() < opaque else ()


def further_pictures(count: int) -> tuple[str, ...]:
    """Name the pictures after the one that is read, where there are any."""
    return (f"further pictures ({count})",) if count > 0 else ()


def unread(image: Photo | Hdr) -> list[str]:
    """Say in a sentence what of an image's file was not read, where there is something."""
    names = ", ".join(image.left_out)[:_MOST_CHARACTERS]
    return [f"what the file holds besides its picture is left out: {names}"] if names else []
