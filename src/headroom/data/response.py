"""Families of camera response curves: scene light in [0, 1] to code values in [0, 1].

A batch of curves is one N x K table over the square roots of light, because curves are steep near black.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

ResponseFamily = Literal["srgb", "gamma", "sigmoid", "monotone", "shoulder"]

_TABLE_SIZE = 1024
_MONOTONE_ORDER = 5


def sample_responses(families: list[ResponseFamily], generator: torch.Generator) -> Tensor:
    """Draw one response curve per entry of `families`.

    - srgb: the standard curve, exactly.
    - gamma: a power with an exponent of 1/1.8 to 1/2.6.
    - sigmoid: (1 + s) H^n / (H^n + s), n ~ N(0.9, 0.1), s ~ N(0.6, 0.1) (Eilertsen et al. 2017).
    - monotone: the sRGB curve bent by a random smooth monotone function, which covers the spread of measured curves
      (in the manner of EMoR, Grossberg and Nayar 2004, without its table).
    - shoulder: mid-tones lifted by up to 1.6 stops and highlights rolled off, as cameras render their JPEGs; then sRGB,
      slightly bent. Responses recovered from camera brackets lie in this range.

    Returns:
        N x K code values at light (i / (K - 1))^2.
    """
    light = torch.linspace(0, 1, _TABLE_SIZE) ** 2
    return torch.stack([_sample_one(family, light, generator) for family in families])


def apply_response(light: Tensor, tables: Tensor) -> Tensor:
    """Send N x 3 x H x W light in [0, 1] through N tabulated curves, by linear interpolation."""
    position = light.clamp(0, 1).sqrt() * (tables.shape[1] - 1)
    below = position.floor().clamp_(max=tables.shape[1] - 2)
    index = below.long().flatten(1)
    low, high = tables.gather(1, index), tables.gather(1, index + 1)
    return torch.lerp(low, high, (position - below).flatten(1)).view_as(light)


def invert_response(codes: Tensor, tables: Tensor) -> Tensor:
    """Undo `apply_response` for N x 3 x H x W codes in [0, 1]."""
    flat = codes.flatten(1).contiguous()
    upper = torch.searchsorted(tables.contiguous(), flat).clamp_(1, tables.shape[1] - 1)
    low, high = tables.gather(1, upper - 1), tables.gather(1, upper)
    fraction = ((flat - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
    return (((upper - 1 + fraction) / (tables.shape[1] - 1)) ** 2).view_as(codes)


def _sample_one(family: ResponseFamily, light: Tensor, generator: torch.Generator) -> Tensor:
    if family == "gamma":
        return light ** (1 / (1.8 + 0.8 * torch.rand(1, generator=generator)))
    if family == "sigmoid":
        noise = torch.randn(2, generator=generator) * 0.1
        powered = light ** (0.9 + noise[0]).clamp(0.2, 2.5)
        scale = (0.6 + noise[1]).clamp(0.05, 5)
        return (1 + scale) * powered / (powered + scale)
    if family == "shoulder":
        lift_ev, sharpness = (torch.rand(2, generator=generator) * torch.tensor([1.6, 2.0])).tolist()
        return _bend(_srgb(_roll_off(light, 2**lift_ev, 1 + sharpness)), 0.2, generator)
    return _srgb(light) if family == "srgb" else _bend(_srgb(light), 0.45, generator)


def _srgb(light: Tensor) -> Tensor:
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def _roll_off(light: Tensor, slope: float, sharpness: float) -> Tensor:
    """Rise from black with `slope` and bend towards 1 at full scale, the later the larger `sharpness`."""
    rolled: Tensor = slope * light / (1 + (slope**sharpness - 1) * light**sharpness) ** (1 / sharpness)
    return rolled


def _bend(curve: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Map [0, 1] onto itself by the normalised integral of a random positive function."""
    positions = torch.linspace(0, 1, _TABLE_SIZE)
    orders = torch.arange(1, _MONOTONE_ORDER + 1)
    weights = torch.randn(_MONOTONE_ORDER, generator=generator) * strength / orders
    slope = torch.exp(torch.cos(torch.pi * orders[:, None] * positions).mul(weights[:, None]).sum(0))
    integral = torch.cumsum(slope, 0) - slope[0]
    integral = integral / integral[-1]
    index = curve.clamp(0, 1) * (_TABLE_SIZE - 1)
    below = index.floor().long().clamp_(max=_TABLE_SIZE - 2)
    return torch.lerp(integral[below], integral[below + 1], index - below)
