"""Ten pairs of HDR pictures, made by seed, on which HDR-VDP is compared with its authors' programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float64]

BRIGHTEST_NITS = 4000.0


@dataclass(frozen=True)
class Pair:
    """A picture, what was done to it, and how large a pixel looks."""

    name: str
    size: tuple[int, int]
    pixels_per_degree: float
    spoil: Callable[[Picture, np.random.Generator], Picture]

    def pictures(self) -> tuple[Picture, Picture]:
        """Give test and reference, H x W x 3, linear BT.709, cd/m2."""
        generator = np.random.default_rng([len(self.name), *self.name.encode()])
        reference = scene(self.size, generator)
        return np.clip(self.spoil(reference, generator), 1e-3, 2 * BRIGHTEST_NITS), reference


def scene(size: tuple[int, int], generator: np.random.Generator) -> Picture:
    """Paint 1/f texture over 13 stops, edges of shadows, and lamps."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf
    texture = np.fft.irfft2(np.fft.rfft2(generator.normal(size=size)) / frequency, s=size)
    y, x = np.mgrid[:height, :width]
    stops = 1.5 * texture / texture.std() - 3.0 * (x * generator.uniform(0.2, 1) + y > height)
    light = 100 * np.exp2(stops)[..., None] * generator.uniform(0.6, 1.4, 3)
    for _ in range(4):
        row, column, radius = generator.uniform(0, height), generator.uniform(0, width), generator.uniform(2, 9)
        light[np.hypot(y - row, x - column) < radius] = BRIGHTEST_NITS * generator.uniform(0.3, 1, 3)
    return np.clip(light, 0.02, BRIGHTEST_NITS)


def noisy(light: Picture, generator: np.random.Generator) -> Picture:
    return light * (1 + generator.uniform(-0.1, 0.1, light.shape))


def noisier(light: Picture, generator: np.random.Generator) -> Picture:
    return light * np.exp2(generator.normal(0, 0.7, light.shape))


def clipped(light: Picture, _: np.random.Generator) -> Picture:
    return np.minimum(light, 300.0)


def banded(light: Picture, _: np.random.Generator) -> Picture:
    return np.exp2(np.round(2 * np.log2(light)) / 2)


def blurred(light: Picture, _: np.random.Generator) -> Picture:
    return np.mean([np.roll(light, (dy, dx), (0, 1)) for dy in range(-2, 3) for dx in range(-2, 3)], axis=0)


def shifted(light: Picture, _: np.random.Generator) -> Picture:
    return np.roll(light, 1, axis=1)


def toned(light: Picture, _: np.random.Generator) -> Picture:
    return 150 * (light / 150) ** 0.8


def brighter(light: Picture, _: np.random.Generator) -> Picture:
    return 1.02 * light


def spotted(light: Picture, _: np.random.Generator) -> Picture:
    spot = light.copy()
    spot[40:56, 60:76] *= 1.3
    return spot


def blocky(light: Picture, _: np.random.Generator) -> Picture:
    tall, wide = (size // 8 * 8 for size in light.shape[:2])
    blocks = light[:tall, :wide].reshape(tall // 8, 8, wide // 8, 8, 3).mean((1, 3))
    result = light.copy()
    result[:tall, :wide] = 0.5 * light[:tall, :wide] + 0.5 * np.repeat(np.repeat(blocks, 8, 0), 8, 1)
    return result


PAIRS = [
    Pair("noisy", (256, 256), 30, noisy),
    Pair("noisier", (128, 192), 30, noisier),
    Pair("clipped", (256, 256), 40, clipped),
    Pair("banded", (160, 256), 30, banded),
    Pair("blurred", (256, 192), 60, blurred),
    Pair("shifted", (192, 192), 30, shifted),
    Pair("toned", (128, 128), 20, toned),
    Pair("brighter", (144, 176), 30, brighter),
    Pair("spotted", (150, 250), 45, spotted),
    Pair("blocky", (201, 255), 24, blocky),
]
