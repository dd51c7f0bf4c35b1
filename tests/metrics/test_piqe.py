from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_codes import Codes, made, texture

from headroom.metrics import registry
from headroom.metrics.contract import Pair
from headroom.metrics.piqe import piqe, pu21_piqe
from headroom.metrics.pu21 import pu21_encode

REFERENCE = json.loads(Path(__file__).with_name("brisque_reference.json").read_text())
PICTURES = made()
WHITE_NITS = 100.0


@pytest.mark.parametrize("name", PICTURES)
def test_another_program(name: str) -> None:
    assert piqe(PICTURES[name] / 255) == pytest.approx(REFERENCE[name]["piqe"], abs=1e-9)


def light_of(codes: Codes) -> np.ndarray:
    """Invert PU21 by a table: light whose encoding is proportional to codes."""
    nits = np.geomspace(0.005, WHITE_NITS, 20_000)
    encoded = pu21_encode(nits)
    return np.interp(codes * encoded[-1] / codes.max(), encoded, nits)


def test_pu21_piqe_is_piqe_of_what_pu21_shows() -> None:
    # Both scale the brightest grey to 255, so codes that PU21 gives score as codes.
    grey = np.repeat(texture(3)[..., :1], 3, axis=2)
    assert pu21_piqe(light_of(grey)) == pytest.approx(piqe(grey / grey.max()), abs=0.5)


def test_noise_blur_and_blocks_are_worse() -> None:
    best = piqe(PICTURES["texture"] / 255)
    assert all(piqe(PICTURES[name] / 255) > best for name in ("noisy", "smooth", "blocky"))


def test_a_plain_picture_is_worst() -> None:
    assert piqe(np.full((40, 50, 3), 0.4)) == 100
    assert piqe(np.zeros((40, 50, 3))) == 100


def test_blocks_by_hand() -> None:
    # Stripes have flat upright edges, for which a block counts 1 - variance, and middle columns that vary as much as
    # the whole, for which it counts variance: with the constants, 100 (1 + 1) / (1 + 1).
    stripes = np.tile([0.2, 0.8], (16, 8))
    assert piqe(np.repeat(stripes[..., None], 3, axis=2)) == pytest.approx(100)


def test_clipped_regions_count_alone() -> None:
    # Blocks are judged each on its own but for the scale of codes, so a region scores as it does in a plain picture.
    light = light_of(PICTURES["noisy"])
    height = light.shape[0] // 32 * 16
    clipped = np.zeros(light.shape[:2], dtype=bool)
    clipped[:height] = True
    outside_differs = light.copy()
    outside_differs[height + 16 :] *= 0.5
    assert pu21_piqe(light, clipped) == pu21_piqe(outside_differs, clipped) != pu21_piqe(light)
    assert pu21_piqe(light, np.ones_like(clipped)) == pu21_piqe(light)


def test_a_region_without_texture_is_worst() -> None:
    light = light_of(PICTURES["texture"])
    clipped = np.zeros(light.shape[:2], dtype=bool)
    clipped[:32, :32] = True
    light[:48, :48] = WHITE_NITS / 2
    codes = np.where(clipped[..., None], 1.0, 0.5).repeat(3, axis=2)
    (metric,) = registry.find(["pu21_piqe_clipped"])
    assert metric.open(Path())(Pair("nits", light, codes=codes)) == 100
    assert metric.verbs == ("expand",)
