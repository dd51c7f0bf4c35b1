"""RGBE pixels: three mantissas and a shared exponent, and the run lengths that Radiance stores them in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headroom.errors import CorruptFile
from headroom.image import FloatImage

Rgbe = NDArray[np.uint8]
"""... x 4."""

_NEW_RLE_WIDTHS = range(8, 0x8000)
_LONGEST_RUN = 127
_LONGEST_LITERAL = 128
_SHORTEST_RUN = 4  # a shorter one is cheaper inside a literal


def from_rgbe(rgbe: Rgbe) -> FloatImage:
    """Return ... x 3 floats: mantissa times 2 ** (exponent - 136), and 0 for exponent 0."""
    exponent = rgbe[..., 3].astype(np.int32)
    scale = np.where(exponent > 0, np.ldexp(np.float32(1), exponent - 136), 0).astype(np.float32)
    return np.asarray(rgbe[..., :3] * scale[..., None], np.float32)


def to_rgbe(pixels: FloatImage) -> Rgbe:
    """Return ... x 4 bytes of ... x 3 floats >= 0, off by at most 1/256 of a pixel's largest channel.

    The mantissas are rounded: cutting them off, as the first writers did, doubles the error for every reader that
    does not add half a step again, and few do.
    """
    exponent = np.frexp(pixels.max(axis=-1))[1]
    held = np.clip(exponent, -127, 127)  # below lies black, above the largest value
    scaled = np.ldexp(pixels.astype(np.float64), 8 - held[..., None])
    rgbe = np.empty((*pixels.shape[:-1], 4), np.uint8)
    rgbe[..., :3] = np.minimum(np.rint(scaled), 255)
    rgbe[..., 3] = np.where(rgbe[..., :3].any(axis=-1), held + 128, 0)
    return rgbe


def unpack(data: bytes, at: int, width: int, lines: int) -> Rgbe:
    """Return `lines` x `width` x 4 from what follows `at`: each line in new run lengths, old ones or none.

    Raises:
        CorruptFile: The data break off or a run leaves its line; without the file's name.
    """
    result = np.empty((lines, width, 4), np.uint8)
    for line in range(lines):
        start = data[at : at + 4]
        if width in _NEW_RLE_WIDTHS and start[:2] == b"\x02\x02" and start[2:] == width.to_bytes(2, "big"):
            planes, at = _new_line(data, at + 4, 4 * width, width)
            result[line] = np.frombuffer(planes, np.uint8).reshape(4, width).T
        else:
            result[line], at = _old_line(data, at, width)
    return result


def _new_line(data: bytes, at: int, size: int, width: int) -> tuple[bytearray, int]:
    """Expand four planes of runs (count - 128, byte) and literals (count, bytes); no run crosses a plane."""
    line = bytearray()
    plane_end = width
    while len(line) < size:
        if at + 1 >= len(data):
            raise CorruptFile("the scan lines break off")
        count = data[at]
        if count > 128:
            line += data[at + 1 : at + 2] * (count - 128)
            at += 2
        else:
            line += data[at + 1 : at + 1 + count]
            at += 1 + count
        if count == 0 or len(line) > plane_end:
            raise CorruptFile("a run of a scan line has an impossible length")
        if len(line) == plane_end:
            plane_end += width
    return line, at


def _old_line(data: bytes, at: int, width: int) -> tuple[Rgbe, int]:
    """Expand a line of pixels in which (1, 1, 1, n) repeats the one before n times, n shifted by 8 in a row of such."""
    units = np.frombuffer(data, np.uint8, min(width, (len(data) - at) // 4) * 4, at).reshape(-1, 4)
    repeats = (units[:, :3] == 1).all(axis=1)
    if not repeats.any() and len(units) == width:
        return units, at + 4 * width
    index = np.arange(len(units))
    pixel = np.maximum.accumulate(np.where(repeats, -1, index))  # the pixel that each unit shows or repeats
    shift = 8 * np.minimum(index - pixel - 1, 3)
    counts = np.where(repeats, units[:, 3].astype(np.int64) << np.maximum(shift, 0), 1)
    ends = counts.cumsum()
    used = int(np.searchsorted(ends, width)) + 1
    if used > len(units) or ends[used - 1] != width or pixel[0] < 0:
        raise CorruptFile("the scan lines break off, or a run leaves its line")
    return np.repeat(units[pixel[:used]], counts[:used], axis=0), at + 4 * used


def pack(lines: Rgbe) -> bytes:
    """Return lines x width x 4 in new run lengths, or flat where the width allows none."""
    width = lines.shape[1]
    if width not in _NEW_RLE_WIDTHS:
        return lines.tobytes()
    start = b"\x02\x02" + width.to_bytes(2, "big")
    return b"".join(start + b"".join(_packed(plane) for plane in line.T) for line in lines)


def _packed(plane: NDArray[np.uint8]) -> bytes:
    """Return one plane of one line as runs and literals."""
    data = plane.tobytes()
    changes = np.flatnonzero(plane[1:] != plane[:-1]) + 1
    starts = np.concatenate([[0], changes])
    lengths = np.diff(np.concatenate([starts, [len(data)]]))
    long = lengths >= _SHORTEST_RUN
    packed, literal = bytearray(), 0
    for start, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True):
        _add_literal(packed, data[literal:start])
        literal = start + length
        for done in range(0, length, _LONGEST_RUN):
            packed += bytes((128 + min(_LONGEST_RUN, length - done), data[start]))
    _add_literal(packed, data[literal:])
    return bytes(packed)


def _add_literal(packed: bytearray, data: bytes) -> None:
    for start in range(0, len(data), _LONGEST_LITERAL):
        part = data[start : start + _LONGEST_LITERAL]
        packed.append(len(part))
        packed += part
