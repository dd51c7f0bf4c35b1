"""Motion: homographies against the rays of the panorama's camera, placements against their closed forms."""

import torch

from headroom.data.motion import MotionSettings, camera_rotation, flutter, object_placement
from headroom.data.views import View, view_rays


def test_a_turned_camera_sees_where_its_rays_go() -> None:
    generator = torch.Generator().manual_seed(0)
    angles = torch.randn(4, 1, 3, generator=generator) * 0.1
    height, width, focal = 20, 30, torch.full((4,), 25.0)
    view = View(*angles[:, 0].unbind(1), 2 * torch.atan(width / 2 / focal))
    rays = view_rays(view, height, width)
    expected = torch.stack((rays[..., 0], -rays[..., 1]), -1) / rays[..., 2:] * 25
    y, x = torch.meshgrid(torch.arange(height) + 0.5 - 10, torch.arange(width) + 0.5 - 15, indexing="ij")
    positions = torch.stack((x, y, torch.ones_like(x)), -1)
    seen = torch.einsum("nij,hwj->nhwi", camera_rotation(angles, focal)[:, 0], positions)
    assert torch.allclose(seen[..., :2] / seen[..., 2:], expected, atol=1e-3)


def test_a_thing_without_motion_stands_still() -> None:
    still = MotionSettings(still_chance=1, turn_degrees=0, growth=0, absent_chance=0)
    placement = object_placement(8, 3, (64, 96), still, torch.Generator().manual_seed(1))
    assert torch.allclose(placement, placement[:, :1].expand_as(placement), atol=1e-5)


def test_things_have_their_size_and_step() -> None:
    settings = MotionSettings(size_px=(20.0, 20.0), still_chance=0, turn_degrees=0, growth=0, absent_chance=0)
    placement = object_placement(500, 3, (64, 96), settings, torch.Generator().manual_seed(2))
    assert torch.allclose(torch.linalg.det(placement), torch.tensor(1 / 10.0**2), rtol=1e-3)
    centre = torch.linalg.inv(placement)[..., :2, 2]
    steps = (centre[:, 2] - centre[:, 1]).norm(dim=-1)
    assert 15 < steps.mean() < 25
    assert steps.max() < 40 * 2
    assert (centre[:, 1].abs() <= torch.tensor([48 + 3.5, 32 + 3.5]) + 1e-3).all()


def test_an_absent_thing_is_out_of_sight() -> None:
    gone = MotionSettings(absent_chance=1)
    placement = object_placement(8, 3, (64, 96), gone, torch.Generator().manual_seed(3))
    assert (placement[..., :2, 2].abs().amax(-1) > 100).all()


def test_waves_stay_below_their_strength() -> None:
    wave = flutter(100, 3, 2.0, torch.Generator().manual_seed(4))
    assert wave.shape == (100, 3, 2, 3)
    assert wave[..., 0].abs().max() <= 2
    assert torch.equal(wave[:, 0, :, 1:], wave[:, 2, :, 1:])
