"""Scenes known at every point, so that a frame taken from anywhere needs no interpolation, and the frames."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Light = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]
"""Gives the light of a scene at columns and rows: ... x 3."""


def waves(
    seed: int, *, contrast: float = 0.7, shortest_px: float = 7, longest_px: float = 150, count: int = 24
) -> Light:
    """A scene of many waves in log light."""
    generator = np.random.default_rng(seed)
    lengths = np.exp(generator.uniform(math.log(shortest_px), math.log(longest_px), count))
    angles, phases = generator.uniform(0, 2 * math.pi, (2, count))
    colours = 1 + 0.3 * generator.normal(size=(count, 3))
    across, down = (2 * math.pi / lengths * side for side in (np.cos(angles), np.sin(angles)))

    def light(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        total = sum(
            np.sin(x * a + y * d + phase)[..., None] * colour
            for a, d, phase, colour in zip(across, down, phases, colours, strict=True)
        )
        return np.exp(contrast * total / math.sqrt(count / 2))

    return light


def over(below: Light, above: Light, centre: tuple[float, float], radius_px: float) -> Light:
    """A round thing in front of a scene; its own light moves with it."""

    def light(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        x0, y0 = x - centre[0], y - centre[1]
        share = np.clip(radius_px + 0.5 - np.hypot(x0, y0), 0, 1)[..., None]
        return below(x, y) * (1 - share) + above(x0, y0) * share

    return light


def turned(
    height: int, width: int, degrees: tuple[float, float, float], focal_px: float | None = None
) -> NDArray[np.float64]:
    """Homography from the pixels of one frame to those of another after the camera yaws, pitches and rolls."""
    focal = focal_px or width
    camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
    result = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        cosine, sine = math.cos(angle), math.sin(angle)
        first, second = ((0, 2), (1, 2), (0, 1))[axis]
        turn = np.eye(3)
        turn[[first, second], [first, second]] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        result = result @ turn
    return camera @ result @ np.linalg.inv(camera)


def seen_at(
    homography: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Where a homography takes columns and rows."""
    places = np.stack([x, y, np.ones_like(x)], axis=-1) @ homography.T
    return [places[..., 0] / places[..., 2], places[..., 1] / places[..., 2]]


def look(light: Light, height: int, width: int, homography: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """What a camera sees whose pixels lie, in the scene, where the homography takes them: H x W x 3."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return light(*seen_at(np.eye(3) if homography is None else homography, x, y))


def record(scene: NDArray[np.float64], exposure: float, seed: int, *, bits: int = 8) -> NDArray[np.float32]:
    """What a camera keeps of a scene: noise, clipping, codes with a gamma of 2.2; linear again, 1.0 = full scale."""
    light = scene * exposure
    noise = np.random.default_rng(seed).normal(size=light.shape) * np.sqrt(1e-6 + 1e-4 * np.minimum(light, 1))
    codes = np.rint(np.clip(light + noise, 0, 1) ** (1 / 2.2) * (2**bits - 1)) / (2**bits - 1)
    return (codes**2.2).astype(np.float32)
