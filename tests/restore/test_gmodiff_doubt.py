"""What a method says of its own light: doubt where it is heard makes a pixel recovered, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.methods.contract import Capabilities, MergeInput
from headroom.restore.fuse import Fused, fuse, predict
from headroom.restore.noise import Noise
from headroom.restore.support import Stack

CAPABILITIES = Capabilities(frames=(3, 3), overlap_px=32)


EXPOSURES = (0.25, 1.0, 4.0)
SIZE = (80, 120)
MOVED, STILL = (slice(30, 50), slice(40, 60)), (slice(65, 80), slice(None))


@pytest.fixture(scope="module")
def stack() -> Stack:
    """Deep shadow, where the reference is all noise; in the others something bright is in the way."""
    seen = [np.full((*SIZE, 3), 0.003 * exposure, np.float32) for exposure in EXPOSURES]
    for i in (0, 2):
        seen[i][25:55, 35:65] = 0.2 * EXPOSURES[i]
    noise = [Noise(1e-4, 1e-7), Noise(1e-4, 1e-2), Noise(1e-4, 1e-7)]
    everywhere = [np.ones(SIZE, np.bool_)] * 3
    return Stack(seen, everywhere, EXPOSURES, 1, noise, tolerance=0.05, clip_level=[0.99] * 3)


def fused(stack: Stack, doubt: float | None) -> Fused:
    """Fuse with a method that gives the reference's light and this much doubt of it."""

    def run(inputs: MergeInput) -> Tensor:
        light = inputs.linear[:, 1]
        return light if doubt is None else torch.cat((light, torch.full_like(light[:, :1], doubt)), dim=1)

    return fuse(stack, run, CAPABILITIES, 512, lambda _: None)


def test_doubt_makes_pixels_recovered_where_frames_disagree(stack: Stack) -> None:
    silent, sure, torn, lost = (fused(stack, doubt) for doubt in (None, 0.0, 0.5, 1.0))
    assert all(np.array_equal(silent.pixels, other.pixels) for other in (sure, torn, lost))
    assert np.array_equal(silent.recovered, sure.recovered)
    assert (torn.recovered >= sure.recovered).all()
    assert (lost.recovered >= torn.recovered).all()
    assert lost.recovered[MOVED].mean() > sure.recovered[MOVED].mean() + 0.2
    np.testing.assert_allclose(lost.recovered[STILL], sure.recovered[STILL], atol=0.05)


def test_a_prediction_is_the_methods_light_alone(stack: Stack) -> None:
    def run(inputs: MergeInput) -> Tensor:
        return torch.full_like(inputs.linear[:, 1], 0.125)

    for tile_px in (512, 96):
        found = predict(stack, run, CAPABILITIES, tile_px, lambda _: None)
        np.testing.assert_allclose(found.pixels, 0.5, rtol=1e-5)  # full scale of the shortest frame is 4
        assert found.recovered.min() == 1


def test_a_prediction_counts_as_recovered_as_far_as_it_is_in_doubt(stack: Stack) -> None:
    def run(inputs: MergeInput) -> Tensor:
        return torch.cat((inputs.linear[:, 1], torch.full_like(inputs.linear[:, 1, :1], 0.25)), dim=1)

    np.testing.assert_allclose(predict(stack, run, CAPABILITIES, 96, lambda _: None).recovered, 0.25, rtol=1e-5)
