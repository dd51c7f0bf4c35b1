"""Files of the kinds that only others write, made by tifffile, Pillow and pillow-heif."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray

from headroom.io.isobmff import boxes
from headroom.io.item_file import ItemFile

BLACK, WHITE = 512, 16_383
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def dng(
    camera_rgb: NDArray[np.float64],
    *,
    neutral: tuple[float, float, float] = (0.5, 1.0, 0.7),
    color_matrix: NDArray[np.float64] | None = None,
    orientation: int = 1,
    linear_limit: float = 1.0,
) -> bytes:
    """Return a DNG with an RGGB mosaic.

    Args:
        camera_rgb: H x W x 3, 0 = black, 1 = the white level of the sensor; each site keeps its own colour.
        neutral: What the camera sees of a grey, green = 1.
        color_matrix: XYZ to camera RGB; by default that of a camera that sees linear sRGB.
        orientation: EXIF orientation.
        linear_limit: Share of the way from black to white up to which the sensor is linear.
    """
    mosaic = camera_rgb[..., 1].copy()
    mosaic[0::2, 0::2], mosaic[1::2, 1::2] = camera_rgb[0::2, 0::2, 0], camera_rgb[1::2, 1::2, 2]
    codes = np.rint(BLACK + mosaic * (WHITE - BLACK)).astype(np.uint16)
    matrix = np.linalg.inv(SRGB_TO_XYZ) if color_matrix is None else color_matrix
    tags: list[tuple[Any, ...]] = [
        (274, "H", 1, orientation, True),
        (33421, "H", 2, (2, 2), True),  # size and colours of the mosaic
        (33422, "B", 4, bytes([0, 1, 1, 2]), True),
        (50706, "B", 4, bytes([1, 4, 0, 0]), True),  # DNG version
        (50708, "s", 0, "Headroom test", True),
        (50714, "I", 1, BLACK, True),
        (50717, "I", 1, WHITE, True),
        (50721, "2i", 9, rationals(matrix.ravel()), True),
        (50728, "2I", 3, rationals(np.array(neutral)), True),
        (50734, "2I", 1, rationals(np.array([linear_limit])), True),
        (50778, "H", 1, 21, True),  # the matrix is for D65
    ]
    stream = BytesIO()
    tifffile.imwrite(stream, codes, photometric=32803, extratags=tags, metadata=None)
    return stream.getvalue()


def rationals(values: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(number for value in values for number in (round(value * 100_000), 100_000))


def heic(codes: NDArray[np.uint16], bits: int, **options: Any) -> bytes:
    """Return a HEIC of 10 or 12 bits, as good as its encoder makes it."""
    height, width = codes.shape[:2]
    image = pillow_heif.from_bytes("RGB;16", (width, height), (codes << (16 - bits)).tobytes())
    if "icc_profile" in options:
        image.info["icc_profile"] = options.pop("icc_profile")
    stream = BytesIO()
    before = pillow_heif.options.SAVE_HDR_TO_12_BIT
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        image.save(stream, quality=100, chroma=444, full_range_flag=1, **options)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = before
    return stream.getvalue()


def box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of an ISO base media file."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    """Return a box with a version and flags of 0."""
    return box(kind, struct.pack(">I", version << 24), *parts)


def with_properties(content: bytes, *added: bytes) -> bytes:
    """Return a file of one picture with properties behind its own; the new header stands behind the pixels."""
    file = ItemFile.of(content)
    properties = [box(kind, bytes(body)) for kind, body in file.properties(file.primary)] + list(added)
    used = bytes(0x80 | number for number in range(1, len(properties) + 1))
    iprp = box(
        b"iprp",
        box(b"ipco", *properties),
        full_box(b"ipma", struct.pack(">IHB", 1, file.primary, len(used)), used),
    )
    others = [box(kind, bytes(body)) for kind, body in boxes(file.meta) if kind != b"iprp"]
    return content.replace(b"meta", b"free", 1) + full_box(b"meta", *others, iprp)
