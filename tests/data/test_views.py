"""Views against a panorama whose radiance is a formula of the direction, seen by a camera written a second way."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from headroom.data.views import View, render_views, sample_views, view_rays

Doubles = NDArray[np.float64]


def radiance(direction: Doubles) -> Doubles:
    """Give smooth light, ... x 3, with no symmetry at all, of unit directions, ... x 3."""
    x, y, z = np.moveaxis(direction, -1, 0)
    return np.stack((1.2 + x, 1.5 + y * z - 0.4 * x * y, np.exp(0.8 * z + 0.3 * x * y * z)), axis=-1)


def panorama_directions(height: int) -> Doubles:
    """Give the direction of each pixel centre of an equirectangular image, H x 2 H x 3."""
    longitude = (np.arange(2 * height) + 0.5) / (2 * height) * 2 * np.pi - np.pi
    latitude = np.pi / 2 - (np.arange(height) + 0.5) / height * np.pi
    longitude, latitude = np.meshgrid(longitude, latitude)
    return np.stack(
        (np.sin(longitude) * np.cos(latitude), np.sin(latitude), np.cos(longitude) * np.cos(latitude)), axis=-1
    )


def camera_directions(view: tuple[float, float, float, float], height: int, width: int) -> Doubles:
    """Build the rays from the camera's axes: look at a point, then turn right and up about that line."""
    yaw, pitch, roll, field_of_view = view
    ahead = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    level_right = np.array([np.cos(yaw), 0, -np.sin(yaw)])
    level_up = np.cross(ahead, level_right)
    right = np.cos(roll) * level_right - np.sin(roll) * level_up
    up = np.sin(roll) * level_right + np.cos(roll) * level_up
    px = 2 * np.tan(field_of_view / 2) / width
    columns = (np.arange(width) - (width - 1) / 2) * px
    rows = ((height - 1) / 2 - np.arange(height)) * px
    rays = ahead + columns[None, :, None] * right + rows[:, None, None] * up
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def as_view(*angles: float) -> View:
    return View(*(torch.tensor([angle]) for angle in angles))


def tensor(image: Doubles) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float()


PANORAMA = tensor(radiance(panorama_directions(512)))

angles = st.tuples(
    st.floats(-math.pi, math.pi), st.floats(-1.2, 1.2), st.floats(-math.pi, math.pi), st.floats(0.3, 2.2)
)


@settings(max_examples=25, deadline=None)
@given(view=angles)
def test_a_view_is_the_radiance_along_its_rays(view: tuple[float, float, float, float]) -> None:
    directions = camera_directions(view, 24, 36)
    np.testing.assert_allclose(view_rays(as_view(*view), 24, 36)[0], directions, atol=2e-6)
    rendered = render_views(PANORAMA, as_view(*view), (24, 36))[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(rendered, radiance(directions), atol=1e-3)


def test_the_seam_behind_the_viewer_is_invisible() -> None:
    view = (math.pi, 0.1, 0.05, 0.02)  # so narrow that many pixels fall between the last and the first column
    rendered = render_views(PANORAMA, as_view(*view), (8, 64))[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(rendered, radiance(camera_directions(view, 8, 64)), atol=1e-4)


def test_the_opposite_camera_looks_the_other_way() -> None:
    ahead = view_rays(as_view(0.7, 0.3, 0.2, 1.0), 3, 3)[0, 1, 1]
    behind = view_rays(as_view(0.7 + math.pi, -0.3, 0.9, 1.4), 3, 3)[0, 1, 1]
    torch.testing.assert_close(ahead, -behind)


def test_a_mirrored_panorama_gives_mirrored_views() -> None:
    view = render_views(PANORAMA, as_view(0.7, 0.3, 0.2, 1.0), (20, 30))
    mirrored = render_views(PANORAMA.flip(2), as_view(-0.7, 0.3, -0.2, 1.0), (20, 30))
    torch.testing.assert_close(mirrored, view.flip(3), atol=1e-4, rtol=1e-4)


def test_half_a_turn_of_roll_turns_the_picture() -> None:
    view = render_views(PANORAMA, as_view(0.7, 0.3, 0.2, 1.0), (20, 30))
    turned = render_views(PANORAMA, as_view(0.7, 0.3, 0.2 + math.pi, 1.0), (20, 30))
    torch.testing.assert_close(turned, view.flip((2, 3)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("offset_px", [0.0, 0.3, 0.5])
def test_supersampling_keeps_the_energy_of_a_small_lamp(offset_px: float) -> None:
    panorama = torch.zeros(3, 128, 256)
    panorama[:, 63:65, 127:129] = 1000.0
    flux = 1000.0 * 4 * (math.pi / 128) ** 2  # radiance times solid angle, on the equator
    pixel = 2 * math.tan(0.5) / 12
    view = render_views(panorama, as_view(offset_px * pixel, 0, 0, 1.0), (12, 12), supersample=12)
    assert float(view[0, 0].sum()) * pixel**2 == pytest.approx(flux, rel=0.03)


def test_supersampling_averages_linear_light() -> None:
    view = as_view(0.7, 0.3, 0.2, 1.0)
    fine = render_views(PANORAMA, view, (24, 36))
    means = fine.reshape(1, 3, 8, 3, 12, 3).mean((3, 5))
    torch.testing.assert_close(render_views(PANORAMA, view, (8, 12), supersample=3), means)


def test_each_view_can_have_its_own_panorama() -> None:
    views = View(*torch.tensor([[0.1, 2.0], [0.2, -0.1], [0.0, 0.3], [1.0, 1.5]]))
    both = render_views(torch.stack((PANORAMA, PANORAMA.flip(1))), views, (8, 8))
    for i, panorama in enumerate((PANORAMA, PANORAMA.flip(1))):
        alone = render_views(panorama, View(*(angle[i : i + 1] for angle in views)), (8, 8))
        torch.testing.assert_close(both[i : i + 1], alone)


def test_drawn_cameras_lie_in_their_ranges() -> None:
    generator = torch.Generator().manual_seed(0)
    view = sample_views(4000, generator, field_of_view_degrees=(50, 60), pitch_degrees=(-10, 20), roll_degrees=3.0)
    degrees = {name: torch.rad2deg(angle) for name, angle in view._asdict().items()}
    for name, low, high in (("field_of_view", 50, 60), ("pitch", -10, 20), ("yaw", -180, 180)):
        assert low - 1e-3 <= degrees[name].min() < low + 0.02 * (high - low)
        assert high + 1e-3 >= degrees[name].max() > high - 0.02 * (high - low)
        assert float(degrees[name].mean()) == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
    assert float(degrees["roll"].std()) == pytest.approx(3, rel=0.05)
    again = sample_views(5, torch.Generator().manual_seed(3)), sample_views(5, torch.Generator().manual_seed(3))
    assert all(torch.equal(*pair) for pair in zip(*again, strict=True))
