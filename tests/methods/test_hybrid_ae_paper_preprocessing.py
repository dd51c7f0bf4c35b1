"""The data set's transforms against NumPy in double precision, its filters, and the orientation repair."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headroom.methods.hybrid_ae.orientation import repair_orientation
from headroom.methods.hybrid_ae.preprocessing import normalise_hdr, normalise_ldr, rejection_reason, restore_hdr

RADIANCE = arrays(np.float32, (2, 3, 2, 3), elements=st.floats(0, 65504, width=32))


@given(RADIANCE)
def test_inverse_is_exact_to_float32(values):
    hdr = torch.from_numpy(values)
    encoded, log_range = normalise_hdr(hdr)
    torch.testing.assert_close(1 + restore_hdr(encoded, log_range), 1 + hdr, rtol=5e-6, atol=0)


@given(RADIANCE)
def test_encoding_is_the_min_max_of_log1p_per_picture(values):
    encoded, log_range = normalise_hdr(torch.from_numpy(values))
    for i, picture in enumerate(np.log1p(values.astype(np.float64))):
        low, high = picture.min(), picture.max()
        assert log_range.minimum[i].item() == pytest.approx(low, rel=1e-6)
        assert log_range.maximum[i].item() == pytest.approx(high, rel=1e-6)
        if high - low > 0.01:
            expected = torch.from_numpy(2 * (picture - low) / (high - low) - 1).float()
            torch.testing.assert_close(encoded[i], expected, rtol=0, atol=5e-6 * max(1, high) / (high - low))
    assert encoded.abs().max() <= 1 + 1e-6


def test_flat_picture_is_minus_one_and_comes_back():
    encoded, log_range = normalise_hdr(torch.full((1, 3, 4, 4), 7.0))
    assert (encoded == -1).all()
    torch.testing.assert_close(restore_hdr(encoded, log_range), torch.full((1, 3, 4, 4), 7.0))


def test_ldr_variants():
    # ImageNet's mean becomes 0; the released variant's range is about -5.2 to 4.3.
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    assert (normalise_ldr(mean) == 0).all()
    assert (normalise_ldr(mean, variant="released") == -1).all()
    ends = [normalise_ldr(torch.full((1, 3, 1, 1), value), variant="released") for value in (0.0, 1.0)]
    assert ends[0].min().item() == pytest.approx(-5.24, abs=0.01)
    assert ends[1].max().item() == pytest.approx(4.28, abs=0.01)


def pair(*, grey=0.5, radiance=1.0, peak=None):
    ldr, hdr = torch.full((3, 8, 8), grey), torch.full((3, 8, 8), radiance)
    if peak is not None:
        hdr[1, 2, 3] = peak
    return ldr, hdr


@pytest.mark.parametrize(("kept", "dropped", "reason"), [
    (pair(peak=4094.9), pair(peak=4095.0), "HDR maximum 4095 is not below 4095"),
    (pair(radiance=0.0101), pair(radiance=0.0099), "mean HDR luminance 0.0099"),
    (pair(grey=40.1 / 255), pair(grey=39.9 / 255), "mean LDR grey 39.9"),
    (pair(peak=0.0), pair(peak=-0.1), "negative"),
    (pair(), pair(peak=float("inf")), "not finite"),
    (pair(), pair(peak=float("nan")), "not finite"),
])  # fmt: skip
def test_filters(kept, dropped, reason):
    assert rejection_reason(*kept) is None
    assert reason in rejection_reason(*dropped)


def test_slides_limit():
    assert rejection_reason(*pair(peak=4095.5), peak_limit=4096) is None
    assert "4096" in rejection_reason(*pair(peak=4096.0), peak_limit=4096)


def test_channels_weigh_as_they_look():
    ldr, hdr = pair()
    ldr[1:] = 0  # red alone: 0.299 * 127.5 = 38.1
    assert "38.1" in rejection_reason(ldr, hdr)
    ldr, hdr = pair(radiance=0.0)
    hdr[2] = 0.1  # blue alone: 0.0722 * 0.1
    assert "0.0072" in rejection_reason(ldr, hdr)


def picture(seed, height, width):
    """Blobs of several sizes and a bright lamp: radiance over eight stops."""
    generator = torch.Generator().manual_seed(seed)
    plane = torch.zeros(1, 3, height, width)
    for cells, weight in ((3, 1.0), (8, 0.6), (24, 0.3)):
        noise = torch.randn(1, 3, cells, cells, generator=generator) * 0.5
        plane += weight * F.interpolate(noise, size=(height, width), mode="bicubic")
    plane[..., height // 3 : height // 3 + 9, width // 2 : width // 2 + 5] += 4
    return (2 * plane[0]).exp2()


def photograph(hdr, *, exposure=0.5, noise=0.01, seed=9):
    """An 8-bit picture of it with another curve, clipped highlights and noise."""
    codes = (hdr * exposure).clamp(0, 1) ** (1 / 2.4)
    codes = codes + noise * torch.randn(codes.shape, generator=torch.Generator().manual_seed(seed))
    return (codes.clamp(0, 1) * 255).round() / 255


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize(("height", "width"), [(128, 128), (121, 160), (160, 121), (80, 70)])
def test_every_orientation_is_repaired(height, width, quarter_turns, mirrored):
    hdr = picture(3, height, width)
    stored = torch.rot90(hdr, -quarter_turns, (-2, -1))
    stored = stored.flip(-1) if mirrored else stored
    repaired = repair_orientation(photograph(hdr), stored)
    assert torch.equal(repaired.hdr, hdr)
    assert (repaired.quarter_turns, repaired.mirrored) == (quarter_turns, mirrored)
    assert repaired.similarity > 0.4


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("exposure", [0.1, 0.5, 3.0])
def test_correct_pair_stays(seed, exposure):
    hdr = picture(seed, 128, 128)
    result = repair_orientation(photograph(hdr, exposure=exposure), hdr)
    assert torch.equal(result.hdr, hdr)
    assert (result.quarter_turns, result.mirrored) == (0, False)


def test_symmetric_picture_stays():
    hdr = picture(1, 128, 128)
    hdr = hdr + hdr.flip(-1)
    assert not repair_orientation(photograph(hdr), hdr).mirrored


def test_flat_sky_says_nothing_and_stays():
    hdr = picture(1, 128, 128)
    result = repair_orientation(torch.ones(3, 128, 128), hdr)
    assert torch.equal(result.hdr, hdr)


@pytest.mark.parametrize("shape", [(128, 128), (128, 96), (96, 128)])
def test_unrelated_pair_stays_and_is_doubtful(shape):
    hdr = picture(2, *shape)
    result = repair_orientation(photograph(picture(1, 128, 96)), hdr)
    assert torch.equal(result.hdr, hdr)
    assert result.similarity < 0.4
