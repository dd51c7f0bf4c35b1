"""ICC profiles of RGB matrix and tone-curve type: read into an `Encoding`, and made from one (ICC.1:2022)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from headroom.colour import cicp
from headroom.colour.primaries import Matrix, rgb_to_xyz, white_xyz
from headroom.colour.transfer import POWER_CURVES, decode, encode
from headroom.errors import UsageError
from headroom.image import Encoding, Primaries, TransferName

_TABLE_CODES = 2**16  # every 8-bit and every 16-bit code falls on an entry
_CODES = 2**8
_COLORANT_TOLERANCE = 1e-3  # published profiles round and adapt this differently; it moves no 8-bit code by half a step
_JOIN_TOLERANCE = 1e-4  # the rounded parameters of a two-part curve may let it fall by this where the parts meet
_LARGEST_TAG_COUNT = 256
_SAMPLES = 4096
_D50 = np.array([0.9642, 1.0, 0.8249])  # ICC.1:2022, 7.2.16
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

_NAMES = {
    "bt709": "BT.709",
    "p3": "P3 D65",
    "bt2020": "BT.2020",
    "adobe-rgb": "Adobe RGB compatible",
    "prophoto": "ProPhoto compatible",
}


def encoding_from_profile(profile: bytes) -> Encoding | None:
    """Return the encoding that an ICC profile describes, or None for one that an `Encoding` cannot express.

    None stands for look-up tables, other primaries, grey, CMYK and damaged profiles alike: such a picture has to be
    converted by a colour engine. A curve within half an 8-bit code of a named one gets that name; any other becomes a
    table of 2**16 entries, N or N x 3. The `cicp` tag of PQ and HLG profiles decides where there is one.
    """
    try:
        tags = _tags(profile)
        stated = cicp.encoding_of(*tags[b"cicp"][8:10]) if b"cicp" in tags else None
        if stated is not None and stated.transfer in {"pq", "hlg"}:
            return stated
        if profile[20:24] != b"XYZ " or b"A2B0" in tags:
            return None
        primaries = _primaries_of(np.stack([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1))
        curves = [_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    except (KeyError, IndexError, ValueError, ArithmeticError, struct.error):
        return None  # a tag is missing, ends early or holds what no profile should
    return _encoding(primaries, curves)


def profile_for(encoding: Encoding) -> bytes:
    """Return a version 4 matrix profile for an encoding whose curve is relative to white.

    Raises:
        UsageError: PQ, HLG or a tabulated curve, which such a profile cannot hold.
    """
    if encoding.transfer not in POWER_CURVES:
        raise UsageError(
            f"No matrix profile can be made for the curve {encoding.transfer or 'table'}. "
            f"Use one of {', '.join(POWER_CURVES)}, or tag PQ and HLG by CICP."
        )
    return _matrix_profile(
        encoding.primaries, f"{_NAMES[encoding.primaries]}, {encoding.transfer} curve", _curve_tag(encoding.transfer)
    )


def profile_for_cicp(primaries: Primaries, transfer: Literal["pq", "hlg"]) -> bytes:
    """Return a version 4.4 profile whose `cicp` tag names BT.709, P3 or BT.2020 and the curve.

    For readers that do not know this tag the curve is also sampled, relative to its own peak, as it is for
    grey.
    """
    grey = np.repeat(np.linspace(0, 1, _SAMPLES)[:, None], 3, axis=1)
    light = decode(grey, transfer)[:, 0]
    curve = struct.pack(f">4s4xI{_SAMPLES}H", b"curv", _SAMPLES, *np.rint(light * (65535 / light[-1])).astype(int))
    numbers = cicp.PRIMARIES_CODES[primaries], cicp.TRANSFER_CODES[transfer]
    tag = struct.pack(">4s4xBBBB", b"cicp", *numbers, 0, 1)
    return _matrix_profile(primaries, f"{_NAMES[primaries]}, {transfer.upper()}", curve, {b"cicp": tag})


def _matrix_profile(primaries: Primaries, name: str, curve: bytes, more: Mapping[bytes, bytes] | None = None) -> bytes:
    adaptation = _adaptation_to_d50()
    red, green, blue = _colorants(primaries).T
    return _assemble(
        {
            b"desc": _text_tag(name),
            b"cprt": _text_tag("No copyright, use freely"),
            b"wtpt": _numbers_tag(b"XYZ ", _D50),
            b"chad": _numbers_tag(b"sf32", adaptation.ravel()),
            b"rXYZ": _numbers_tag(b"XYZ ", red),
            b"gXYZ": _numbers_tag(b"XYZ ", green),
            b"bXYZ": _numbers_tag(b"XYZ ", blue),
            b"rTRC": curve,
            b"gTRC": curve,
            b"bTRC": curve,
            **(more or {}),
        }
    )


def _tags(profile: bytes) -> dict[bytes, memoryview]:
    """Return the tags of an RGB profile as views into it, so that overlapping ones cost nothing."""
    if profile[36:40] != b"acsp" or profile[16:20] != b"RGB " or profile[12:16] not in {b"mntr", b"scnr", b"spac"}:
        raise ValueError
    (count,) = struct.unpack_from(">I", profile, 128)
    if count > _LARGEST_TAG_COUNT:
        raise ValueError
    tags = {}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        if offset + size > len(profile):
            raise ValueError
        tags[name] = memoryview(profile)[offset : offset + size]
    return tags


def _xyz(tag: memoryview) -> NDArray[np.float64]:
    if bytes(tag[:4]) != b"XYZ ":
        raise ValueError
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _curve(tag: memoryview) -> NDArray[np.float64]:
    """Return linear light in [0, 1] at `_TABLE_CODES` equally spaced codes; it never falls."""
    codes = np.linspace(0, 1, _TABLE_CODES)
    with np.errstate(all="ignore"):
        light = np.clip(_CURVE_TYPES[bytes(tag[:4])](tag, codes), 0, 1)
    if not np.isfinite(light).all() or np.diff(light).min() < -_JOIN_TOLERANCE or light[-1] <= light[0]:
        raise ValueError
    return np.asarray(np.maximum.accumulate(light), np.float64)


def _sampled_curve(tag: memoryview, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return codes
    entries = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
    if count == 1:
        return codes ** float(entries[0] / 256)
    return np.interp(codes, np.linspace(0, 1, count), entries / 65535)


def _parametric_curve(tag: memoryview, codes: NDArray[np.float64]) -> NDArray[np.float64]:
    (kind,) = struct.unpack_from(">H", tag, 8)
    g, *rest = (value / 65536 for value in struct.unpack_from(f">{(1, 3, 4, 5, 7)[kind]}i", tag, 12))
    a, b, *rest = rest or (1.0, 0.0)
    if kind <= 2:  # below -b / a these are constant
        e = f = rest[0] if rest else 0.0
        c, d = 0.0, -b / a
    else:
        c, d, e, f = (*rest, 0.0, 0.0)[:4]
    return np.where(codes >= d, np.maximum(a * codes + b, 0) ** g + e, c * codes + f)


_CURVE_TYPES = {b"curv": _sampled_curve, b"para": _parametric_curve}


def _primaries_of(colorants: Matrix) -> Primaries:
    distances = {name: float(np.abs(colorants - _colorants(name)).max()) for name in get_args(Primaries)}
    nearest: Primaries = min(distances, key=lambda name: distances[name])
    if distances[nearest] > _COLORANT_TOLERANCE:
        raise ValueError
    return nearest


def _encoding(primaries: Primaries, curves: list[NDArray[np.float64]]) -> Encoding:
    names = {_closed_form(curve) for curve in curves}
    if len(names) == 1 and None not in names:
        return Encoding(primaries, names.pop())
    equal = all(np.array_equal(curves[0], curve) for curve in curves)
    table = curves[0] if equal else np.stack(curves, axis=1)
    return Encoding(primaries, None, table.astype(np.float32))


def _closed_form(curve: NDArray[np.float64]) -> TransferName | None:
    """Return the nearest named curve if it is within half an 8-bit code at every 8-bit code."""
    codes = np.linspace(0, 1, _CODES)
    light = curve[:: (_TABLE_CODES - 1) // (_CODES - 1)]
    errors = {name: float(np.abs(encode(light, name) - codes).max()) for name in POWER_CURVES}
    nearest = min(errors, key=lambda name: errors[name])
    return nearest if errors[nearest] <= 0.5 / (_CODES - 1) else None


def _adaptation_to_d50() -> Matrix:
    """Return the linear Bradford adaptation from D65 (ICC.1:2022, annex E)."""
    gains = (_BRADFORD @ _D50) / (_BRADFORD @ white_xyz())
    return np.asarray(np.linalg.solve(_BRADFORD, gains[:, None] * _BRADFORD), np.float64)


def _colorants(name: Primaries) -> Matrix:
    """Return the XYZ of red, green and blue under D50 as columns."""
    return np.asarray(_adaptation_to_d50() @ rgb_to_xyz(name), np.float64)


def _numbers_tag(kind: bytes, values: Iterable[float]) -> bytes:
    fixed_point = [round(value * 65536) for value in values]
    return struct.pack(f">4s4x{len(fixed_point)}i", kind, *fixed_point)


def _curve_tag(name: TransferName) -> bytes:
    curve = POWER_CURVES[name]
    scale = 1 + curve.offset
    values = [curve.exponent, 1 / scale, curve.offset / scale, 1 / curve.slope, curve.toe_code]
    kind, values = (3, values) if curve.toe_code else (0, values[:1])
    return struct.pack(">4s4xHxx", b"para", kind) + _numbers_tag(b"", values)[8:]


def _text_tag(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(encoded), 28) + encoded


def _assemble(tags: dict[bytes, bytes]) -> bytes:
    """Join header, tag table and tags; tags of equal content are stored once."""
    start = 132 + 12 * len(tags)
    offsets: dict[bytes, int] = {}
    body = b""
    for content in tags.values():
        if content not in offsets:
            offsets[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
    header = struct.pack(
        ">I4xI4s4s4s6H4s28x3i48x",  # no engine, platform, device, creator or ID; perceptual intent
        *(start + len(body), 0x04400000, b"mntr", b"RGB ", b"XYZ "),
        *(2026, 1, 1, 0, 0, 0),
        b"acsp",
        *(round(value * 65536) for value in _D50),
    )
    table = b"".join(struct.pack(">4sII", name, offsets[tag], len(tag)) for name, tag in tags.items())
    return header + struct.pack(">I", len(tags)) + table + body
