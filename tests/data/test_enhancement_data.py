"""Badly exposed photos and the pictures they should have been, against plain formulas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.colour.transfer import decode
from headroom.data.camera import CameraSettings
from headroom.data.enhancement import EnhancementData, EnhancementSettings, to_display, well_exposed
from headroom.data.enhancement_validation import exposure_errors
from headroom.errors import DataError
from headroom.image import Hdr
from headroom.io import write_hdr

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
PLAIN = CameraSettings(
    families=(("srgb", 1.0),), colour_gain_ev=0, saturation=0, shot_noise=0, read_noise=0, jpeg_chance=0
)
"""A camera that only exposes, clips and quantises."""


def panorama(seed: int, stops: float) -> Tensor:
    """Make light that spans this many stops."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.exp2(stops * (torch.rand(1, 3, 16, 32, generator=generator) - 0.5))
    return torch.nn.functional.interpolate(coarse, size=(128, 256), mode="bilinear", align_corners=False)[0]


DATA = EnhancementData({"one": panorama(1, 8), "two": panorama(2, 8)}, seed=3)
FLAT = EnhancementData({"flat": 37 * panorama(3, 0.8)}, EnhancementSettings(camera=PLAIN))
"""Views without light that would be tone-mapped."""


def log_average(light: np.ndarray) -> np.ndarray:
    """Give the log-average luminance of each of N x 3 x H x W pictures."""
    return np.exp(np.log(np.einsum("nchw,c->nhw", light, LUMINANCE)).mean((1, 2)))


def test_an_example_depends_on_seed_and_number_alone() -> None:
    together = DATA.batch(0, 4, 64)
    parts = [DATA.batch(index, 2, 64) for index in (1, 0)]
    for whole, second, first in zip(together, *parts, strict=True):
        assert torch.equal(whole, torch.cat((first, second)))
    assert not torch.equal(together.encoded, DATA.batch(1, 4, 64).encoded)
    assert not torch.equal(together.encoded, replace(DATA, seed=4).batch(0, 4, 64).encoded)


def test_shapes_and_ranges() -> None:
    batch = DATA.batch(2, 12, 64)
    assert batch.encoded.shape == batch.truth.shape == (12, 3, 64, 64)
    assert batch.unknown.shape == (12, 1, 64, 64) and batch.error_ev.shape == (12,)
    assert all(tensor.dtype == torch.float32 and tensor.isfinite().all() for tensor in batch)
    codes = batch.encoded * 255
    torch.testing.assert_close(codes, codes.round(), atol=1e-4, rtol=0)
    for picture in (batch.encoded, batch.truth):
        assert picture.min() >= 0 and picture.max() <= 1
    assert set(batch.unknown.flatten().tolist()) == {0.0, 1.0}
    assert (batch.error_ev >= -3.5).all() and (batch.error_ev <= 3).all() and batch.error_ev.std() > 1


def test_a_well_exposed_view_has_the_key() -> None:
    views = torch.stack([panorama(seed, 10) for seed in (5, 6)]) * torch.tensor([1e-3, 1e4]).view(2, 1, 1, 1)
    np.testing.assert_allclose(log_average(well_exposed(views).numpy()), 0.18, rtol=1e-4)


def test_black_views_and_pixels_have_an_exposure() -> None:
    assert (well_exposed(torch.zeros(1, 3, 8, 8)) == 0).all()
    half = panorama(5, 2)[None].clone()
    half[:, :, :40] = 0
    lit = well_exposed(half)
    assert lit.isfinite().all() and 0.18 < log_average(lit[:, :, 40:].numpy())[0] < 0.18 * 2**14


def test_the_truth_has_the_key_where_nothing_is_tone_mapped() -> None:
    truth = decode(FLAT.batch(0, 6, 64).truth.numpy(), "srgb")
    assert truth.max() < 0.25
    np.testing.assert_allclose(log_average(truth), 0.18, rtol=1e-3)


def test_the_photo_is_exposed_as_it_says() -> None:
    data = replace(FLAT, settings=replace(FLAT.settings, error_ev=(-3.0, 2.0)))
    batch = data.batch(0, 8, 64)
    light, truth = (decode(codes.numpy(), "srgb") for codes in (batch.encoded, batch.truth))
    np.testing.assert_allclose(np.log2(log_average(light) / log_average(truth)), batch.error_ev, atol=0.02)


def test_photos_of_the_default_camera_are_as_much_too_bright_as_they_say() -> None:
    batch = DATA.batch(0, 48, 32)
    brightness = [picture.mean((1, 2, 3)) for picture in (batch.encoded, batch.truth)]
    wrong = torch.log2(brightness[0] / brightness[1])
    assert float(torch.corrcoef(torch.stack((wrong, batch.error_ev)))[0, 1]) > 0.9


def test_tone_mapping_is_gentle() -> None:
    grey = torch.logspace(-3, 4, 200).expand(1, 3, 1, 200)
    shown = decode(to_display(grey).numpy(), "srgb")[0, 0, 0]
    below = grey[0, 0, 0].numpy() < 0.25
    np.testing.assert_allclose(shown[below], grey[0, 0, 0][below], rtol=1e-4)
    assert (np.diff(shown) > 0).all() and shown[-1] < 1
    assert to_display(torch.full((1, 3, 1, 1), 100.0)).max() * 255 < 254.5


def test_tone_mapping_keeps_hues() -> None:
    light = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0)) * 6
    shown = decode(to_display(light).numpy(), "srgb")

    def hue(rgb: np.ndarray) -> np.ndarray:
        red, green, blue = rgb[0]
        return np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)

    difference = hue(shown) - hue(light.numpy())
    np.testing.assert_allclose(np.sin(difference), 0, atol=2e-3)
    assert (np.cos(difference) > 0).all()


def test_the_photos_of_a_folder_are_the_same_in_every_run(tmp_path: Path) -> None:
    for seed, name in enumerate(("garden", "hall")):  # in no list, so they stand in for the val split
        write_hdr(Hdr(np.ascontiguousarray(panorama(seed, 8).permute(1, 2, 0).numpy())), tmp_path / f"{name}.hdr")
    one, other = (exposure_errors(tmp_path).batch(0, 3, 64) for _ in range(2))
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_a_folder_without_panoramas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no panorama"):
        exposure_errors(tmp_path)
