from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from headroom.methods import load
from headroom.methods.contract import ExpandInput
from headroom.restore.reduce import full_input, pad_input
from headroom.restore.tile import RunNetwork, run_tiled


def smooth_codes(height: int, width: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / (31 + 7 * c) + c) + np.cos(columns / (43 - 5 * c) - rows / 90) for c in range(3)]
    return np.rint(127.5 + 60 * np.stack(waves, axis=-1)).astype(np.uint8)


def brightness(inputs: ExpandInput) -> Tensor:
    return 4 * inputs.encoded


def sharpened(inputs: ExpandInput) -> Tensor:
    blurred = F.avg_pool2d(F.pad(inputs.encoded, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    return 3 * inputs.encoded - blurred


@pytest.mark.parametrize("run", [brightness, sharpened])
@pytest.mark.parametrize(("height", "width"), [(200, 300), (97, 350), (300, 61), (129, 129), (1, 400)])
def test_a_local_method_gives_the_same_tiled_as_whole(run: RunNetwork, height: int, width: int) -> None:
    codes = smooth_codes(height, width)
    told: list[float] = []
    tiled = run_tiled(run, codes, codes > 200, tile_px=128, overlap_px=32, progress=told.append)
    whole = run(full_input(codes, codes > 200))[0].permute(1, 2, 0).numpy()
    assert tiled.shape == codes.shape
    assert np.abs(tiled - whole).max() < 0.05 * np.ptp(whole)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_photo_of_one_tile_is_seen_once() -> None:
    sizes: list[tuple[int, ...]] = []

    def run(inputs: ExpandInput) -> Tensor:
        sizes.append(tuple(inputs.encoded.shape[2:]))
        return brightness(inputs)

    codes = smooth_codes(100, 128)
    tiled = run_tiled(run, codes, codes > 200, tile_px=128, overlap_px=32, progress=lambda _: None)
    assert sizes == [(100, 128)]
    np.testing.assert_array_equal(tiled, 4 * np.float32(1 / 255) * codes)


def test_the_level_of_a_tile_comes_from_the_whole_photo() -> None:
    # A method that calls its own mean zero: alone, tiles of a dark and of a bright part would agree.
    def run(inputs: ExpandInput) -> Tensor:
        return inputs.encoded - inputs.encoded.mean((2, 3), keepdim=True)

    codes = smooth_codes(256, 256)
    codes[:, 128:] //= 4
    tiled = run_tiled(run, codes, codes > 200, tile_px=64, overlap_px=16, progress=lambda _: None)
    whole = run(full_input(codes, codes > 200))[0].permute(1, 2, 0).numpy()
    error = np.abs(tiled - whole)
    assert error[:, :112].max() < 0.05
    assert error[:, 144:].max() < 0.05


def seam_energy(gain: NDArray[np.float32], seams: list[int]) -> float:
    """Compare the steps across the columns where tiles end with those far from them."""
    steps = np.abs(np.diff(gain.astype(np.float64), axis=1)).mean(axis=(0, 2))
    elsewhere = [column for column in range(8, len(steps) - 8) if min(abs(column - seam) for seam in seams) > 8]
    return float(steps[seams].mean() / steps[elsewhere].mean())


@pytest.mark.parametrize("preset", ["paper", "model_b", "unet"])
def test_published_networks_join_without_seams(preset: str) -> None:
    torch.manual_seed(2)
    method = load("hybrid_ae")
    network = method.build(method.presets[preset].settings).eval()

    @torch.inference_mode()
    def run(inputs: ExpandInput) -> Tensor:
        height, width = inputs.encoded.shape[2:]
        return method.run(network, pad_input(inputs, 32, 32), torch.Generator(), lambda _: None)[:, :, :height, :width]

    codes = np.clip(smooth_codes(160, 448).astype(int) * 5 // 4, 0, 255).astype(np.uint8)
    joined = run_tiled(run, codes, codes == 255, tile_px=192, overlap_px=64, progress=lambda _: None)
    assert np.isfinite(joined).all()
    # Three tiles a row start at 0, 128 and 256, and end at 192, 320 and 448.
    assert seam_energy(joined, [127, 191, 255, 319]) < 1.25
    if preset == "unet":  # Pasted side by side, tiles of this network do show a seam, and the measure sees it.
        pasted = run_tiled(run, codes, codes == 255, tile_px=224, overlap_px=0, progress=lambda _: None)
        assert seam_energy(pasted, [223]) > 2
