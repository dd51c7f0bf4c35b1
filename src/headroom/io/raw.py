"""Camera RAW and DNG by LibRaw through rawpy, an optional package: a photo, or linear light in BT.2020. Read only.

The black level is subtracted, the camera's white balance applied, and nothing is brightened. As a photo, RAW is codes
of the sensor: 1 is where each of its channels clips. As light, 1.0 is where the first channel of a neutral grey clips,
which is the one that the white balance amplifies least: up to there every neutral pixel is measured. The other channels
go on to their own clip levels above 1.0. A channel clips at the white level, or below it where the file says how far
the sensor is linear.

EXIF goes along; XMP does not, since in RAW it tells a developer what is still to be done to the picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import Matrix, conversion_matrix, rgb_to_xyz
from headroom.colour.strips import strips
from headroom.colour.transfer import decode_codes
from headroom.errors import CorruptFile, MissingDependency, UnsupportedFormat
from headroom.image import Encoding, FloatImage, Hdr, Metadata, Photo
from headroom.io import assemble, child, tiff_exif
from headroom.io.child import Decoded
from headroom.io.facts import FileFacts, stored_facts

_PIXEL_BYTES = 96
_TOP_CODE = 65_535
_FLOAT_BITS = 32
_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)  # by LibRaw's flip: 1 swaps columns, 2 rows, 4 rows with columns
_LEAST_COEFFICIENT = 0.125  # as LibRaw does, a matrix whose first coefficient is smaller counts as missing
_LARGEST_COEFFICIENT = 100.0
_MOST_BALANCE = 100.0
_LEAST_SHARE = 0.5  # less counts as another kind of number
_ROUNDING_CODES = 1.5  # of LibRaw, twice


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says, with the help of the decoder, which reads no pixels for it."""
    return _facts(path, content, _decode(path, content, "describe").facts)


def read(path: Path, content: bytes) -> Hdr:
    """Return the demosaiced scene, upright; see `read_photo` for errors."""
    photo = read_photo(path, content)
    light = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    return Hdr(light, photo.encoding.primaries, metadata=photo.metadata, source=path)


def read_photo(path: Path, content: bytes) -> Photo:
    """Return the demosaiced codes of the sensor, upright.

    Raises:
        MissingDependency: rawpy is not installed.
        UnsupportedFormat: Sensors with other than three colours, or cameras whose colours are not known.
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    decoded = _decode(path, content, "decode")
    facts = _facts(path, content, decoded.facts)
    balance = np.array(decoded.facts["balance"])
    if not balance.max() <= _MOST_BALANCE * balance.min():
        raise CorruptFile(f"{path}: its white balance is impossible. Copy the file again or develop it to TIFF first.")
    clip_levels = balance * _linear_share(decoded.facts)
    to_light = conversion_matrix("bt709", "bt2020") @ _camera_to_bt709(path, decoded.facts)
    rows = (to_light * (clip_levels / clip_levels.min())).tolist()
    encoding = dataclasses.replace(facts.encoding, sensor_matrix=tuple(map(tuple, rows)))
    codes = _codes(decoded.raster, clip_levels * (_TOP_CODE / balance.max()))
    return assemble.photo(path, dataclasses.replace(facts, bit_depth=_FLOAT_BITS, encoding=encoding), codes)


def _decode(path: Path, content: bytes, action: Literal["describe", "decode"]) -> Decoded:
    if find_spec("rawpy") is None:
        raise MissingDependency(f"{path}: camera RAW needs the package rawpy. Type: pip install 'headroom-hdr[raw]'")
    return child.decode(path, content, "raw", action, title="camera RAW", pixel_bytes=_PIXEL_BYTES)


def _facts(path: Path, content: bytes, decoded: Mapping[str, Any]) -> FileFacts:
    if decoded["colours"] != 3:
        raise UnsupportedFormat(f"{path}: RAW with {decoded['colours']} colours is not read. Develop it to TIFF first.")
    return stored_facts(
        path,
        container="raw",
        kind="hdr",
        size=decoded["size"],
        bit_depth=decoded["bit_depth"],
        encoding=Encoding("bt2020", "linear"),
        metadata=Metadata(exif=tiff_exif.block(content)),
        file_bytes=len(content),
        turn=_ORIENTATIONS[decoded["flip"] & 7],
    )


def _camera_to_bt709(path: Path, decoded: Mapping[str, Any]) -> Matrix:
    """Return the matrix of the file, else of LibRaw's camera table; white stays white.

    Raises:
        UnsupportedFormat: There is neither.
    """
    stated = np.array(decoded["camera_to_srgb"], np.float64)
    if stated[0, 0] > _LEAST_COEFFICIENT and _keeps_white(stated):
        return stated
    from_bt709 = np.array(decoded["xyz_to_camera"], np.float64) @ rgb_to_xyz("bt709")
    with np.errstate(all="ignore"):
        seen = from_bt709 / from_bt709.sum(axis=1, keepdims=True)
    if _keeps_white(seen) and _keeps_white(to_bt709 := np.linalg.inv(seen)):
        return to_bt709
    raise UnsupportedFormat(f"{path}: the colours of this camera are not known. Convert it to DNG first.")


def _keeps_white(matrix: Matrix) -> bool:
    """Return True for a matrix that leaves white as it is and can be undone."""
    is_possible = np.isfinite(matrix).all() and np.abs(matrix).max() < _LARGEST_COEFFICIENT
    return bool(is_possible and np.allclose(matrix.sum(axis=1), 1, atol=1e-3) and abs(np.linalg.det(matrix)) > 1e-6)


def _linear_share(decoded: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the share of the way from black to white up to which each channel is linear; 1 where nothing is said."""
    if not decoded["linear_limits"]:
        return np.ones(3)
    black = np.array(decoded["black_levels"], np.float64)
    share = (decoded["linear_limits"] - black) / (decoded["white_level"] - black)
    return np.where((share > _LEAST_SHARE) & (share < 1), share, 1)


def _codes(stored: NDArray[np.uint16], clip_levels: NDArray[np.float64]) -> FloatImage:
    """Return H x W x 3 codes of which 1 is the clip level of their channel."""
    codes = np.empty(stored.shape, np.float32)
    scale = (1 / clip_levels).astype(np.float32)
    for rows in strips(codes.shape):
        light = stored[rows]
        centred = light + np.float32(0.5) * (light > 0)  # LibRaw rounds down
        codes[rows] = np.where(light >= clip_levels - _ROUNDING_CODES, 1, centred * scale)
    return codes
