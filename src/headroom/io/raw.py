"""Camera RAW and DNG by LibRaw through rawpy, an optional package: linear light in BT.2020. Read only.

The black level is subtracted, the camera's white balance applied, and nothing is brightened or clipped: 1.0 is where
the first channel of a neutral grey clips, which is the one that the white balance amplifies least. Up to there every
neutral pixel is measured. The other channels go on to their own clip levels above 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import Matrix, conversion_matrix, rgb_to_xyz
from headroom.colour.strips import strips
from headroom.errors import MissingDependency, UnsupportedFormat
from headroom.image import Encoding, FloatImage, Hdr, Metadata
from headroom.io import assemble, child, tiff_exif
from headroom.io.child import Decoded
from headroom.io.facts import FileFacts, stored_facts

_PIXEL_BYTES = 96
_TOP_CODE = 65_535
_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}  # by LibRaw's number of turns
_LEAST_COEFFICIENT = 0.125  # as LibRaw does, a matrix whose first coefficient is smaller counts as missing


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header says, with the help of the decoder, which reads no pixels for it."""
    return _facts(path, content, _decode(path, content, "describe").facts)


def read(path: Path, content: bytes) -> Hdr:
    """Return the demosaiced scene, upright.

    Raises:
        MissingDependency: rawpy is not installed.
        UnsupportedFormat: Sensors with other than three colours, or cameras whose colours are not known.
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    decoded = _decode(path, content, "decode")
    facts = _facts(path, content, decoded.facts)
    balance = decoded.facts["balance"]
    scale = max(balance) / min(balance) / _TOP_CODE
    matrix = conversion_matrix("bt709", "bt2020") @ _camera_to_bt709(path, decoded.facts)
    return assemble.scene(path, facts, _converted(decoded.raster, scale * matrix))


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
        turn=_ORIENTATIONS.get(decoded["flip"], 1),
    )


def _camera_to_bt709(path: Path, decoded: Mapping[str, Any]) -> Matrix:
    """Return the matrix of the file, else of LibRaw's camera table; white stays white.

    Raises:
        UnsupportedFormat: There is neither.
    """
    stated = np.array(decoded["camera_to_srgb"], np.float64)
    if stated[0, 0] > _LEAST_COEFFICIENT:
        return stated
    from_xyz = np.array(decoded["xyz_to_camera"], np.float64)
    from_bt709 = from_xyz @ rgb_to_xyz("bt709")
    if abs(np.linalg.det(from_bt709)) < 1e-6:
        raise UnsupportedFormat(f"{path}: the colours of this camera are not known. Convert it to DNG first.")
    return np.linalg.inv(from_bt709 / from_bt709.sum(axis=1, keepdims=True))


def _converted(codes: NDArray[np.uint16], matrix: Matrix) -> FloatImage:
    pixels = np.empty(codes.shape, np.float32)
    for rows in strips(codes.shape):
        np.matmul(codes[rows].astype(np.float32), matrix.T.astype(np.float32), out=pixels[rows])
    return pixels
