"""Panoramas that formulas paint, for when no file of one is at hand: a day, a room and a night."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from headroom.data.layers import fractal

_HEIGHT_PX = 256


def painted_panoramas(seed: int = 0) -> dict[str, Tensor]:
    """Paint a day under the sun, a room with windows and lamps, and lit houses by night.

    Returns:
        3 x 256 x 512 linear radiance by name, of 5 to 20 stops.
    """
    generator = torch.Generator().manual_seed(seed)
    latitude = (0.5 - (torch.arange(_HEIGHT_PX) + 0.5) / _HEIGHT_PX)[:, None] * math.pi
    longitude = ((torch.arange(2 * _HEIGHT_PX) + 0.5) / _HEIGHT_PX - 1)[None] * math.pi
    half = fractal(3, _HEIGHT_PX, torch.full((3,), 0.55), generator)[:, 0]
    texture = torch.cat((half, half.flip(-1)), dim=-1)  # mirrored, so that it meets itself behind the camera
    return {
        "painted_day": _day(longitude, latitude, texture),
        "painted_night": _night(longitude, latitude, texture, generator),
        "painted_room": _room(longitude, latitude, texture, generator),
    }


def _day(longitude: Tensor, latitude: Tensor, texture: Tensor) -> Tensor:
    height = (latitude / (math.pi / 2)).clamp(0, 1)
    cloud = ((texture[0] - 0.3) * 2).sigmoid() * (1 - height)
    sky = _colour(0.5, 0.8, 1.4) * (1 - 0.6 * height) + cloud * _colour(2.2, 2.1, 2.0)
    away = _angle(longitude, latitude, 0.8, 0.5)
    sun = 3e4 * torch.sigmoid((0.02 - away) / 0.003) + 6 * torch.exp(-away / 0.12)
    hills = 0.08 + 0.05 * torch.sin(3 * longitude) + 0.03 * torch.sin(7 * longitude + 1) + 0.02 * texture[2]
    meadow = _colour(0.10, 0.16, 0.05) * torch.exp2(0.7 * texture[1])
    return torch.where(latitude > hills, sky + sun * _colour(1.0, 0.9, 0.75), meadow)


def _night(longitude: Tensor, latitude: Tensor, texture: Tensor, generator: torch.Generator) -> Tensor:
    house = ((longitude / math.pi + 1) * 8).long().clamp(max=15)
    roof = 0.15 + 0.5 * torch.rand(16, generator=generator)[house]
    sky = _colour(0.002, 0.003, 0.006) * torch.exp2(0.3 * texture[0])
    wall = _colour(0.02, 0.017, 0.014) * torch.exp2(0.5 * texture[1])
    column, row = ((longitude / math.pi + 1) * 48).long() % 96, ((latitude + 2) * 16).long()
    lit = torch.rand(96, 64, 1, generator=generator) ** 6 * torch.tensor([6.0, 4.5, 2.5])
    windows = lit[column.expand_as(texture[0]), row.expand_as(texture[0])].permute(2, 0, 1)
    pane = ((longitude / math.pi + 1) * 48 % 1 - 0.5).abs().maximum(((latitude + 2) * 16 % 1 - 0.5).abs()) < 0.3
    light = torch.where((latitude < roof) & (latitude > -0.15), wall + windows * pane, wall)
    light = torch.where(latitude < roof, light, sky)
    for place in range(-3, 4):
        away = _angle(longitude, latitude, place * 0.9, 0.12)
        light = light + _colour(1.0, 0.7, 0.3) * (400 * torch.sigmoid((0.018 - away) / 0.003) + torch.exp(-away / 0.1))
    return light


def _room(longitude: Tensor, latitude: Tensor, texture: Tensor, generator: torch.Generator) -> Tensor:
    wall = _colour(0.16, 0.13, 0.10) * torch.exp2(0.25 * texture[0])
    floor = _colour(0.05, 0.03, 0.02) * torch.exp2(0.6 * texture[1])
    light = torch.where(latitude > -0.35, wall, floor)
    outside = (_colour(3.0, 4.0, 6.0) + latitude.sin() * _colour(6.0, 7.0, 8.0)) * torch.exp2(0.8 * texture[2])
    for place in (-2.4, -1.0, 1.2):
        across = longitude - place
        frame = (across.abs() < 0.35) & ((latitude - 0.15).abs() < 0.3)
        bars = (across.abs() < 0.015) | ((latitude - 0.2).abs() < 0.012)
        light = torch.where(frame & ~bars, outside, light)
    for place in (0.1, 2.3):
        away = _angle(longitude, latitude, place, 0.3 + 0.2 * float(torch.rand(1, generator=generator)))
        light = light + _colour(1.0, 0.8, 0.5) * (60 * torch.sigmoid((0.06 - away) / 0.006) + torch.exp(-away / 0.3))
    return light


def _colour(red: float, green: float, blue: float) -> Tensor:
    return torch.tensor([red, green, blue]).view(3, 1, 1)


def _angle(longitude: Tensor, latitude: Tensor, at_longitude: float, at_latitude: float) -> Tensor:
    """Give the angle between every direction and one: H x W, radians."""
    cosine = latitude.sin() * math.sin(at_latitude)
    cosine = cosine + latitude.cos() * math.cos(at_latitude) * torch.cos(longitude - at_longitude)
    return torch.acos(cosine.clamp(-1, 1))
