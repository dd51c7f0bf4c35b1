"""The classical merge against OpenCV's, which is right where no code is at an end of its range."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom.methods.contract import MergeInput
from headroom.methods.debevec.method import weighted_mean

GAMMA = 2.2
EXPOSURES = (1.0, 4.0, 16.0)


def merge_input(codes: NDArray[np.floating], exposures: tuple[float, ...] = EXPOSURES) -> MergeInput:
    """Take F x H x W x 3 codes in [0, 1]."""
    encoded = torch.from_numpy(codes.astype(np.float32)).permute(0, 3, 1, 2)[None]
    exposure = torch.tensor(exposures)[None]
    return MergeInput(encoded, encoded**GAMMA / exposure[..., None, None, None], exposure, torch.tensor([1]))


def merged(codes: NDArray[np.floating], exposures: tuple[float, ...] = EXPOSURES) -> NDArray[np.float32]:
    result: Tensor = weighted_mean(merge_input(codes, exposures))
    return result[0].permute(1, 2, 0).numpy()


def opencv(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    curve = np.repeat(((np.arange(256) / 255) ** GAMMA)[:, None, None], 3, axis=2).astype(np.float32)
    frames = list(codes)
    return np.asarray(cv2.createMergeDebevec().process(frames, np.array(EXPOSURES, np.float32), curve))


def test_frames_that_disagree_are_weighted_as_by_opencv() -> None:
    # Grey, since OpenCV shares one weight among a pixel's channels.
    generator = np.random.default_rng(0)
    codes = np.repeat(generator.integers(20, 236, (3, 40, 50, 1)), 3, axis=-1).astype(np.uint8)
    # Its triangle of 1 to 128 to 1 is one code higher than ours of 0 to 127.5 to 0.
    np.testing.assert_allclose(merged(codes / 255), opencv(codes), rtol=0.03)
    assert np.median(np.abs(merged(codes / 255) / opencv(codes) - 1)) < 0.003


def test_static_scenes_come_out_as_they_were() -> None:
    light = np.geomspace(0.003, 0.9, 600).reshape(10, 20, 3)
    codes = np.clip(light * np.array(EXPOSURES)[:, None, None, None], 0, 1) ** (1 / GAMMA)
    np.testing.assert_allclose(merged(codes), light, rtol=1e-4)


def test_16_bit_codes_are_not_rounded() -> None:
    light = np.linspace(0.2, 0.201, 3 * 64).reshape(8, 8, 3)
    codes = np.rint(light ** (1 / GAMMA) * 65535)[None].repeat(2, axis=0) / 65535
    np.testing.assert_allclose(merged(codes, (1.0, 1.0)), (codes**GAMMA)[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("codes", "light"),
    [
        ((1.0, 1.0, 1.0), 1.0),  # clipped in every frame: the clip level of the shortest
        ((0.0, 0.0, 0.0), 0.0),  # black in every frame
        ((0.0, 0.5, 1.0), 0.5**GAMMA / 4),  # one frame sees it
        ((0.0, 0.0, 1.0), 1 / 16),  # lost between two exposures: no darker than the longest frame's clip level
        ((0.98, 1.0, 1.0), 0.98**GAMMA),
        ((0.0, 0.0, 0.02), 0.02**GAMMA / 16),
    ],
)
def test_holes_are_closed(codes: tuple[float, ...], light: float) -> None:
    result = merged(np.broadcast_to(np.array(codes)[:, None, None, None], (3, 2, 2, 3)))
    np.testing.assert_allclose(result, light, rtol=1e-4, atol=1e-9)


def test_a_channel_that_clips_leaves_the_others_their_weight() -> None:
    codes = np.array([[0.4, 0.2, 0.3], [1.0, 0.5, 0.6], [1.0, 1.0, 0.9]])[:, None, None]
    result = merged(codes)[0, 0]
    assert result[0] == pytest.approx(0.4**GAMMA, rel=1e-4)
    low, high = sorted((0.2**GAMMA, 0.5**GAMMA / 4))
    assert low <= result[1] <= high
