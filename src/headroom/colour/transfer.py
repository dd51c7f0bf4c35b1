"""Transfer curves with exact inverses: code values in [0, 1] to linear light and back.

Linear light has 1.0 = SDR diffuse white (203 cd/m2). Where a curve ends outside [0, 1]:

- sRGB, BT.709 and the gammas are continued by their formula above 1 and mirrored at 0, as in scRGB.
- PQ is absolute: code 1 is 10,000 cd/m2. Codes are clipped to [0, 1], light to [0, 10,000] cd/m2.
- HLG is shown at its nominal peak of 1,000 cd/m2, so code 0.75 is SDR white. Light below 0 counts as 0; codes above 1
  continue the curve. Its system gamma works on luminance, so it takes RGB as the last axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headroom.colour.strips import map_in_strips, strips
from headroom.errors import UsageError
from headroom.image import SDR_WHITE_NITS, Encoding, TransferName

_Doubles = NDArray[np.float64]
_Function = Callable[[_Doubles], _Doubles]


class PowerCurve(NamedTuple):
    """light = ((code + offset) / (1 + offset)) ** exponent, and a straight code / slope up to `toe_code`."""

    exponent: float
    offset: float = 0.0
    slope: float = 1.0
    toe_code: float = 0.0

    def to_light(self, code: _Doubles) -> _Doubles:
        """Decode, mirrored at 0."""
        size = np.abs(code)
        power = ((size + self.offset) / (1 + self.offset)) ** self.exponent
        return np.copysign(np.where(size <= self.toe_code, size / self.slope, power), code)

    def to_code(self, light: _Doubles) -> _Doubles:
        """Encode, mirrored at 0."""
        size = np.abs(light)
        root = (1 + self.offset) * size ** (1 / self.exponent) - self.offset
        return np.copysign(np.where(size <= self.toe_code / self.slope, size * self.slope, root), light)


POWER_CURVES: dict[TransferName, PowerCurve] = {
    "srgb": PowerCurve(2.4, 0.055, 12.92, 0.04045),  # IEC 61966-2-1
    # ITU-R BT.709; these digits of its 1.099 and 0.018 make the two parts meet (BT.2020, note to table 4).
    "bt709": PowerCurve(1 / 0.45, 0.09929682680944, 4.5, 4.5 * 0.018053968510807),
    "gamma22": PowerCurve(2.2),
    "gamma18": PowerCurve(1.8),
    "adobe-rgb": PowerCurve(563 / 256),  # Adobe RGB (1998)
    "linear": PowerCurve(1.0),
}
"""The curves that are relative to white."""


# SMPTE ST 2084
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 10_000 / SDR_WHITE_NITS


def _pq_to_light(code: _Doubles) -> _Doubles:
    root = np.clip(code, 0, 1) ** (1 / _PQ_M2)
    return _PQ_PEAK * (np.maximum(root - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * root)) ** (1 / _PQ_M1)


def _pq_to_code(light: _Doubles) -> _Doubles:
    root = np.clip(light / _PQ_PEAK, 0, 1) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * root) / (1 + _PQ_C3 * root)) ** _PQ_M2


# ITU-R BT.2100 table 5
_HLG_A = 0.17883277
_HLG_B = 1 - 4 * _HLG_A
_HLG_C = 0.5 - _HLG_A * math.log(4 * _HLG_A)
_HLG_SYSTEM_GAMMA = 1.2
_HLG_PEAK = 1_000 / SDR_WHITE_NITS
_HLG_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def _hlg_to_scene(code: _Doubles) -> _Doubles:
    code = np.maximum(code, 0)
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - _HLG_C) / _HLG_A) + _HLG_B) / 12)


def _hlg_from_scene(scene: _Doubles) -> _Doubles:
    logarithm = np.log(np.maximum(12 * scene - _HLG_B, 0.5))  # below 0.7 the square root takes over
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), _HLG_A * logarithm + _HLG_C)


def _hlg_system_gamma(rgb: _Doubles, exponent: float) -> _Doubles:
    """Scale RGB by its own luminance to the power `exponent` - 1; black stays black."""
    luminance = np.maximum(rgb @ _HLG_LUMINANCE, np.finfo(np.float64).tiny)
    scaled: _Doubles = rgb * luminance[..., None] ** (exponent - 1)
    return scaled


def _hlg_scene_to_light(scene: _Doubles) -> _Doubles:
    return _HLG_PEAK * _hlg_system_gamma(scene, _HLG_SYSTEM_GAMMA)


def _hlg_to_code(light: _Doubles) -> _Doubles:
    return _hlg_from_scene(_hlg_system_gamma(np.maximum(light, 0) / _HLG_PEAK, 1 / _HLG_SYSTEM_GAMMA))


class _Curve(NamedTuple):
    to_light: _Function
    to_code: _Function


_CURVES: dict[TransferName, _Curve] = {
    **{name: _Curve(curve.to_light, curve.to_code) for name, curve in POWER_CURVES.items()},
    "pq": _Curve(_pq_to_light, _pq_to_code),
    "hlg": _Curve(lambda code: _hlg_scene_to_light(_hlg_to_scene(code)), _hlg_to_code),
}


def decode(codes: ArrayLike, name: TransferName) -> NDArray[np.float32]:
    """Turn code values in [0, 1] into linear light of the same shape.

    >>> round(float(decode(0.5, "srgb")), 4)
    0.214

    Raises:
        UsageError: HLG without RGB as the last axis.
    """
    _check_channels(np.shape(codes), name)
    return map_in_strips(_CURVES[name].to_light, codes)


def encode(linear: ArrayLike, name: TransferName) -> NDArray[np.float32]:
    """Turn linear light into code values of the same shape; the exact inverse of `decode`.

    Raises:
        UsageError: HLG without RGB as the last axis.
    """
    _check_channels(np.shape(linear), name)
    return map_in_strips(_CURVES[name].to_code, linear)


def decode_codes(
    codes: NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32], encoding: Encoding, bit_depth: int
) -> NDArray[np.float32]:
    """Turn the codes of a photo into linear light, integers by a table of 2 ** `bit_depth` entries.

    Light of a sensor's codes that no display could show, below 0 in a channel, counts as 0.

    Args:
        codes: H x W x 3; integers from 0 to 2 ** `bit_depth` - 1, larger ones count as that, or floats in [0, 1].
        encoding: Curve of the codes, by name or as a table that is interpolated linearly.
        bit_depth: Significant bits of an integer code; float codes ignore it.

    Raises:
        UsageError: The encoding has neither a name nor a table, or HLG codes are not RGB.
    """
    _check_channels(codes.shape, encoding.transfer)
    if encoding.sensor_matrix is not None:
        return _by_matrix(decode_codes(codes, replace(encoding, sensor_matrix=None), bit_depth), encoding.sensor_matrix)
    if not np.issubdtype(codes.dtype, np.integer):
        if encoding.transfer == "linear":
            return codes.astype(np.float32)
        return map_in_strips(_function_of(encoding), codes)
    coupled = encoding.transfer == "hlg"
    separable = _hlg_to_scene if coupled else _function_of(encoding)
    code_values = np.arange(2**bit_depth) / (2**bit_depth - 1)
    table = separable(np.repeat(code_values[:, None], 3, axis=1)).astype(np.float32)
    result = np.empty(codes.shape, np.float32)
    for rows in strips(codes.shape):
        for channel in range(3):
            result[rows, :, channel] = np.take(table[:, channel], codes[rows, :, channel].astype(np.intp), mode="clip")
        if coupled:
            result[rows] = _hlg_scene_to_light(result[rows].astype(np.float64))
    return result


def _by_matrix(channels: NDArray[np.float32], matrix: tuple[tuple[float, ...], ...]) -> NDArray[np.float32]:
    """Return the light of a sensor's channels, in the same array."""
    transposed = np.array(matrix, np.float32).T
    for rows in strips(channels.shape):
        channels[rows] = np.maximum(channels[rows] @ transposed, 0)
    return channels


def _function_of(encoding: Encoding) -> _Function:
    if encoding.transfer is not None:
        return _CURVES[encoding.transfer].to_light
    if encoding.table is None:
        raise UsageError("An encoding needs the name of a transfer curve or a table. Give one of them.")
    table = encoding.table.astype(np.float64)
    if table.ndim == 1:
        return lambda code: _interpolate(table, code)
    return lambda code: np.stack([_interpolate(table[:, i], code[..., i]) for i in range(3)], axis=-1)


def _interpolate(table: _Doubles, code: _Doubles) -> _Doubles:
    return np.interp(code, np.linspace(0, 1, len(table)), table)


def _check_channels(shape: tuple[int, ...], name: TransferName | None) -> None:
    if name == "hlg" and shape[-1:] != (3,):
        raise UsageError(f"HLG couples the channels, so its last axis must be RGB, not of shape {shape}. Pass RGB.")
