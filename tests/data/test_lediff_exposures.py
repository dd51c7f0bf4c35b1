"""Exposures of one view: aligned, by one camera, and as far apart as they say."""

from __future__ import annotations

import pytest
import torch

from headroom.data.camera import CameraSettings
from headroom.data.exposures import ExposureData, ExposureSettings
from headroom.data.painted import painted_panoramas

PANORAMAS = painted_panoramas()
NOISELESS = CameraSettings(families=(("srgb", 1.0),), shot_noise=0, read_noise=0, jpeg_chance=0)
SIDE_PX = 64


def linear(codes: torch.Tensor) -> torch.Tensor:
    return torch.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)


def test_exposures_are_the_truth_clipped_and_rounded() -> None:
    batch = ExposureData(PANORAMAS, ExposureSettings(camera=NOISELESS)).batch(0, 4, SIDE_PX)
    assert batch.codes.shape == (4, 3, 3, SIDE_PX, SIDE_PX)
    light = (batch.truth[:, None] * batch.exposure[..., None, None, None]).clamp(max=1)
    # Half a code is at most this much of the light that it stands for, or of the darkest.
    torch.testing.assert_close(linear(batch.codes), light, atol=4e-4, rtol=0.02)
    assert torch.equal((batch.codes * 255).round() / 255, batch.codes)


def test_steps_are_in_range_and_equal() -> None:
    settings = ExposureSettings(step_ev=(2.0, 3.0))
    steps = ExposureData(PANORAMAS, settings).batch(0, 16, SIDE_PX).exposure.log2().diff(dim=1)
    torch.testing.assert_close(steps[:, 0], steps[:, 1])
    assert (steps[:, 0] >= 2).all()
    assert (steps[:, 0] <= 3).all()
    assert steps[:, 0].unique().numel() > 8


@pytest.mark.parametrize(("kind", "number"), [("brightest", 2), ("darkest", 0)])
def test_the_photo_clips_the_wanted_share(kind: str, number: int) -> None:
    camera = CameraSettings(shot_noise=0, read_noise=0, jpeg_chance=0)
    settings = ExposureSettings(photo=kind, clipped_share=(0.1, 0.1), dark_clipped_share=(0.1, 0.1), camera=camera)  # type: ignore[arg-type]
    batch = ExposureData(PANORAMAS, settings).batch(0, 6, SIDE_PX)
    assert batch.photo.tolist() == [number] * 6
    light = batch.truth * batch.exposure[:, number].view(-1, 1, 1, 1)
    shares = (light.amax(1) >= 1).float().mean((1, 2))
    torch.testing.assert_close(shares, torch.full((6,), 0.1), atol=0.01, rtol=0)
    # Others show more of either end.
    assert (batch.codes[:, 0].mean((1, 2, 3)) < batch.codes[:, 1].mean((1, 2, 3))).all()
    assert (batch.codes[:, 1].mean((1, 2, 3)) < batch.codes[:, 2].mean((1, 2, 3))).all()


def test_all_exposures_have_the_same_response() -> None:
    camera = CameraSettings(families=(("monotone", 1.0),), shot_noise=0, read_noise=0, jpeg_chance=0)
    batch = ExposureData(PANORAMAS, ExposureSettings(camera=camera)).batch(1, 2, SIDE_PX)
    for codes, exposure, truth in zip(batch.codes, batch.exposure, batch.truth, strict=True):
        # Equal light on the sensor gives equal codes, whichever exposure it was.
        light = (truth * exposure.view(-1, 1, 1, 1)).flatten()
        order = light.argsort()
        ranked, inside = codes.flatten()[order], (light[order] < 1) & (light[order] > 0.01)
        assert ranked[inside].diff().min() >= -1.01 / 255


def test_only_the_photo_is_noisy_and_compressed() -> None:
    noisy = CameraSettings(families=(("srgb", 1.0),), read_noise=0.02, jpeg_chance=1.0, jpeg_quality=(50.0, 50.0))
    clean, disturbed = (
        ExposureData(PANORAMAS, ExposureSettings(camera=camera)).batch(0, 2, SIDE_PX) for camera in (NOISELESS, noisy)
    )
    torch.testing.assert_close(disturbed.truth, clean.truth)
    assert torch.equal(disturbed.codes[:, :2], clean.codes[:, :2])
    assert (disturbed.codes[:, 2] != clean.codes[:, 2]).float().mean() > 0.2


def test_examples_depend_on_seed_and_number_alone() -> None:
    settings = ExposureSettings(photo="either")
    data = ExposureData(PANORAMAS, settings)
    whole, second = data.batch(0, 4, SIDE_PX), data.batch(1, 2, SIDE_PX)
    for one, other in zip(whole, second, strict=True):
        assert torch.equal(one[2:], other)
    assert not torch.equal(whole.codes, ExposureData(PANORAMAS, settings, seed=1).batch(0, 4, SIDE_PX).codes)
    assert set(data.batch(0, 16, SIDE_PX).photo.tolist()) == {0, 2}
