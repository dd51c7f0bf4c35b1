"""Training brackets: their units, their noise and what they promise to a method."""

from dataclasses import replace

import pytest
import torch

from headroom.data.brackets import BracketData, BracketSettings, reference_as_recorded
from headroom.data.brackets_camera import BracketCameraSettings, shoot
from headroom.data.brackets_scene import SceneSettings

QUIET = BracketCameraSettings(
    uneven_chance=0, step_error_ev=0, unclipped_chance=0, drowned_chance=0, shot_noise=0, read_noise=0,
    eight_bit_chance=0,
)  # fmt: skip
STILL = BracketSettings(
    scene=SceneSettings(objects=(0, 0), lamp_chance=0, background_flutter_px=0),
    camera=QUIET,
    tripod_chance=1,
    hidden_chance=0,
)


@pytest.fixture(scope="module")
def panoramas() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 32, 64, generator=generator) ** 4 * 20 + 0.02
    smooth = torch.nn.functional.interpolate(coarse, (128, 256), mode="bilinear")
    return dict(zip("ab", smooth, strict=True))


def test_a_batch_depends_on_seed_and_index_alone(panoramas) -> None:
    data = BracketData(panoramas)
    first = data.batch(3, 2, 32)
    data.batch(4, 2, 32)
    assert all(torch.equal(*pair) for pair in zip(first, BracketData(panoramas).batch(3, 2, 32), strict=True))
    assert not torch.equal(first.truth, BracketData(panoramas, seed=1).batch(3, 2, 32).truth)
    assert not torch.equal(first.truth, data.batch(4, 2, 32).truth)


def test_batches_keep_the_units_of_the_contract(panoramas) -> None:
    for index in range(4):
        batch = BracketData(panoramas).batch(index, 4, 48)
        assert batch.encoded.shape == batch.linear.shape == (4, 3, 3, 48, 48)
        assert batch.truth.shape == (4, 3, 48, 48)
        assert batch.reference.tolist() == [1] * 4
        assert (batch.exposure[:, 0] == 1).all() and (batch.exposure.diff() >= 0.5).all()
        assert all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in (*batch[:3], batch.truth))
        assert batch.encoded.min() >= 0 and batch.encoded.max() <= 1
        assert batch.truth.min() >= 0 and batch.truth.max() <= 1
        scene_light = batch.encoded**2.2 / batch.exposure[:, :, None, None, None]
        assert torch.allclose(batch.linear, scene_light, atol=1e-6)


def test_without_motion_and_noise_every_frame_holds_the_truth_up_to_its_clip_level(panoramas) -> None:
    batch = BracketData(panoramas, STILL).batch(0, 4, 48)
    clip_level = 1 / batch.exposure[:, :, None, None, None]
    expected = torch.minimum(batch.truth[:, None], clip_level)
    assert torch.allclose(batch.linear, expected, atol=1e-4)


def test_the_reference_clips_as_drawn(panoramas) -> None:
    camera = replace(QUIET, clipped_share=(0.1, 0.1))
    batch = BracketData(panoramas, replace(STILL, camera=camera)).batch(0, 8, 64)
    share = (batch.encoded[:, 1].amax(1) >= 1).float().mean(dim=(1, 2))
    assert torch.allclose(share, torch.tensor(0.1), atol=0.02)


def test_noise_has_the_variance_of_its_light() -> None:
    camera = replace(QUIET, steps_ev=((2.0, 1.0),), shot_noise=4e-4, read_noise=2e-3, clipped_share=(0.5, 0.5))
    light = torch.ones(16, 3, 3, 64, 64) * torch.linspace(0.2, 1.8, 64)
    shots = shoot(light, camera, torch.Generator().manual_seed(0))
    deviation = (shots.codes**2.2 - light * shots.gain * shots.exposure[:, :, None, None, None])[..., 4:24]
    variance = deviation.double().square().mean(dim=(2, 3, 4))
    level = (light * shots.gain * shots.exposure[:, :, None, None, None])[..., 4:24].mean(dim=(2, 3, 4))
    # Both strengths of a bracket follow from its shortest and its middle frame; only they do not clip here.
    shot = (variance[:, 1] - variance[:, 0]) / (level[:, 1] - level[:, 0])
    read = variance[:, 0] - shot * level[:, 0]
    assert (shot < 4.2e-4).all() and 0.5e-4 < shot.mean() < 2.5e-4
    assert 0.2e-6 < read.mean() < 2.2e-6


def test_codes_lie_on_the_grid_of_their_depth() -> None:
    light = torch.rand(8, 3, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2
    shots = shoot(light, replace(QUIET, eight_bit_chance=0.5, jpeg_chance=0.5), torch.Generator().manual_seed(1))
    assert 0 < shots.eight_bit.sum() < 8
    top = torch.where(shots.eight_bit, 255.0, 65535.0).view(-1, 1, 1, 1, 1)
    assert ((shots.codes * top) - (shots.codes * top).round()).abs().max() < 0.01


def test_what_a_frame_does_not_show_is_the_light_of_the_reference(panoramas) -> None:
    hiding = replace(BracketSettings(), hidden_chance=1.0)
    for index in range(3):
        batch = BracketData(panoramas, hiding).batch(index, 4, 48)
        own = batch.encoded**2.2
        filled = reference_as_recorded(own, batch.exposure)
        same = ((own - filled).abs() < 1e-6).all(2).float().mean(dim=(2, 3))
        assert (same[:, [0, 2]] > 0).any() and (same[:, [0, 2]].mean() > 0.15)


def test_things_that_move_differ_between_frames(panoramas) -> None:
    scene = SceneSettings(objects=(3, 3), background_flutter_px=0)
    moving = BracketData(panoramas, replace(STILL, scene=scene)).batch(1, 4, 64)
    unclipped = (moving.encoded < 0.95).all(1).all(1)
    difference = (moving.linear[:, 0] - moving.linear[:, 1]).abs().amax(1) > 0.05 * moving.linear[:, 1].amax(1)
    assert (difference & unclipped).float().mean() > 0.02
