"""Training examples, against the photo side of the package, which knows nothing of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.colour.transfer import decode
from headroom.data.camera import CameraSettings, photograph
from headroom.data.expansion import ExpansionData, ViewSettings, log2_luminance, to_batch
from headroom.image import Photo
from headroom.restore.clipping import blocks_with, clipped_codes, grown, of_blocks


def panoramas() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.exp2(8 * torch.rand(2, 3, 16, 32, generator=generator) - 4)
    fine = torch.nn.functional.interpolate(coarse, size=(128, 256), mode="bilinear", align_corners=False)
    return {"one": fine[0], "two": fine[1]}


DATA = ExpansionData(panoramas(), seed=3)


def test_a_batch_depends_on_its_index_alone() -> None:
    again = ExpansionData(panoramas(), seed=3)
    later = again.batch(7, 4, 64)
    again.batch(1, 4, 64)
    for one, other in zip(DATA.batch(7, 4, 64), later, strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(DATA.batch(7, 4, 64).encoded, DATA.batch(8, 4, 64).encoded)
    assert not torch.equal(DATA.batch(7, 4, 64).encoded, replace(DATA, seed=4).batch(7, 4, 64).encoded)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_shapes_and_ranges(count: int) -> None:
    batch = DATA.batch(0, count, 64)
    assert {tuple(tensor.shape) for tensor in batch} == {(count, 3, 64, 64)}
    assert all(tensor.dtype == torch.float32 and torch.isfinite(tensor).all() for tensor in batch)
    assert 0 <= batch.encoded.min() <= batch.encoded.max() <= 1
    assert set(batch.clipped.flatten().tolist()) <= {0.0, 1.0}
    np.testing.assert_allclose(batch.linear, decode(batch.encoded.numpy(), "srgb"), rtol=1e-5, atol=1e-7)


def test_clipped_is_what_restore_calls_clipped_near_top_codes() -> None:
    # A JPEG of the virtual camera may be off by five codes.
    marked = 0
    for index in range(6):
        batch = DATA.batch(index, 4, 64)
        for codes, clipped in zip(batch.encoded, batch.clipped, strict=True):
            photo = Photo(np.rint(codes.permute(1, 2, 0).numpy() * 255).astype(np.uint8), 8, lossy_step=5)
            near_top = of_blocks(grown(blocks_with(photo.codes == 255)), photo.codes.shape)
            np.testing.assert_array_equal(clipped.permute(1, 2, 0).numpy() == 1, clipped_codes(photo) & near_top)
            marked += int(clipped.sum())
    assert marked > 1000


def test_the_truth_has_the_scale_of_the_photo() -> None:
    batch = DATA.batch(2, 8, 64)
    for linear, truth, clipped, encoded in zip(batch.linear, batch.truth, batch.clipped, batch.encoded, strict=True):
        measured = (clipped.amax(0) == 0) & (encoded.amin(0) >= 16 / 255)
        difference = log2_luminance(truth[None])[0][measured] - log2_luminance(linear[None])[0][measured]
        assert float(difference.median()) == pytest.approx(0, abs=1e-4)


def test_an_honest_camera_gives_the_truth_where_it_measured() -> None:
    settings = CameraSettings(
        low_key_chance=0, families=(("srgb", 1.0),), saturation=0, shot_noise=0, read_noise=0, jpeg_chance=0
    )
    radiance = torch.stack([panorama[:, :64, :64] for panorama in panoramas().values()])
    batch = to_batch(photograph(radiance, settings, torch.Generator().manual_seed(0)))
    bright = (batch.clipped == 0) & (batch.encoded > 0.2)
    torch.testing.assert_close(batch.truth[bright], batch.linear[bright], rtol=0.03, atol=0)
    assert (batch.truth[batch.clipped == 1] > 0.9).all()


def test_every_view_is_used_twice_once_mirrored() -> None:
    batch = replace(DATA, views=ViewSettings(double_exposure_chance=0)).batch(5, 6, 64)
    first, second = (log2_luminance(half) for half in (batch.truth[:3], batch.truth[3:].flip(3)))
    # Two cameras differ in exposure and white balance, which correlation does not see.
    for one, other in zip(first, second, strict=True):
        assert float(torch.corrcoef(torch.stack((one.flatten(), other.flatten())))[0, 1]) > 0.99


def test_deep_batches_clip_more() -> None:
    deep, usual = (
        torch.stack([replace(DATA, deep_chance=chance).batch(i, 4, 64).clipped.amax(1).mean() for i in range(12)])
        for chance in (1.0, 0.0)
    )
    assert deep.mean() > 1.2 * usual.mean()


def scenes(views: ViewSettings) -> Tensor:
    return replace(DATA, views=views)._scenes(3, 32, torch.Generator().manual_seed(0))


def test_double_exposures_only_add_light() -> None:
    once, twice = (scenes(ViewSettings(double_exposure_chance=c, highlight_contrast=(1, 1))) for c in (0, 1))
    normalised = once / once.flatten(1).median(1).values.view(-1, 1, 1, 1)
    for i in range(3):  # each got the light of the one before it, dimmed by its own factor
        factor = ((twice[i] - normalised[i]) / normalised[i - 1]).median()
        assert 2**-4 <= factor <= 1
        torch.testing.assert_close(twice[i], normalised[i] + factor * normalised[i - 1], rtol=1e-4, atol=0)


def test_highlight_contrast_is_a_power_above_the_median() -> None:
    plain, contrasted = (
        scenes(ViewSettings(double_exposure_chance=0, highlight_contrast=c)) for c in ((1.0, 1.0), (1.3, 1.3))
    )
    median = plain.flatten(1).median(1).values.log2().view(-1, 1, 1)
    above = log2_luminance(plain) - median
    expected = torch.where(above > 0, 1.3 * above, above)
    torch.testing.assert_close(log2_luminance(contrasted) - median, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(contrasted / contrasted.sum(1, keepdim=True), plain / plain.sum(1, keepdim=True))


def test_log2_luminance_is_that_of_bt709() -> None:
    generator = np.random.default_rng(0)
    image = generator.random((1, 3, 5, 7)).astype(np.float32)
    expected = np.log2(0.2126 * image[0, 0] + 0.7152 * image[0, 1] + 0.0722 * image[0, 2])
    np.testing.assert_allclose(log2_luminance(torch.from_numpy(image))[0], expected, atol=1e-5)
    assert log2_luminance(torch.zeros(1, 3, 1, 1)).item() == -14
