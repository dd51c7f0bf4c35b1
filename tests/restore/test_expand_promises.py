"""The promises of an expanded photo, for any photo and any weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import flat_photo, light_to_srgb, noisy_photo, srgb_to_light

import headroom
from headroom.errors import InputError, UsageError
from headroom.image import Encoding, Hdr, Metadata, Photo, TransferName
from headroom.methods import load
from headroom.weights.reader import read_state_dict
from headroom.weights.writer import pack

DEPTHS = [8, 10, 12, 16, 32]


def near_top(photo: Photo) -> NDArray[np.bool_]:
    """Say which codes may be clipped: top ones, and in lossy photos those near one or that fill most of a block."""
    top: NDArray[np.bool_] = photo.codes == photo.top_code
    if not photo.lossy_step:
        return top
    high = photo.codes >= photo.top_code - max(5, photo.lossy_step)
    reached = np.zeros_like(top)
    for row, column, channel in np.ndindex(-(-photo.height // 8), -(-photo.width // 8), 3):
        block = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8), channel
        if top[block].any() or high[block].mean() > 0.5:
            above, left = 8 * row - 8, 8 * column - 8
            reached[max(above, 0) : above + 24, max(left, 0) : left + 24, channel] = True
    return reached & high


def check_promises(photo: Photo, hdr: Hdr) -> None:
    """Check everything that holds for every expanded photo."""
    assert hdr.pixels.dtype == np.float32
    assert hdr.recovered is not None
    assert hdr.pixels.shape == photo.codes.shape
    assert hdr.recovered.shape == photo.codes.shape[:2]
    assert np.isfinite(hdr.pixels).all()
    assert hdr.pixels.min() >= 0
    assert 0 <= hdr.recovered.min() <= hdr.recovered.max() <= 1
    clipped = near_top(photo)
    linear = srgb_to_light(photo.codes / photo.top_code)
    if photo.bit_depth == 32:
        assert (np.abs(hdr.pixels - linear) <= 1e-6 * linear)[~clipped].all()
    else:
        codes = light_to_srgb(hdr.pixels) * photo.top_code
        assert np.abs(codes - photo.codes)[~clipped].max(initial=0) < 0.5
    assert (hdr.recovered[~clipped.any(axis=2)] == 0).all()
    assert (hdr.recovered[clipped.any(axis=2)] > 0).all()
    # Where a code may be clipped without being the top one, the floor is the code itself.
    assert (hdr.pixels >= linear * (1 - 1e-6)).all()
    assert (hdr.pixels[photo.codes == photo.top_code] >= 1).all()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    clipped_share=st.floats(0, 1),
    bit_depth=st.sampled_from(DEPTHS),
)
def test_lossless_photos(
    compact_weights: Path, seed: int, height: int, width: int, clipped_share: float, bit_depth: int
) -> None:
    photo = noisy_photo(seed, height, width, clipped_share, bit_depth=bit_depth)
    check_promises(photo, headroom.expand(photo, weights=compact_weights))


@settings(max_examples=20, deadline=None)
@example(seed=7958, height=1, width=1, clipped_share=0.0, lossy_step=1)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    clipped_share=st.floats(0, 0.1),
    lossy_step=st.integers(1, 6),
)
def test_lossy_photos(
    compact_weights: Path, seed: int, height: int, width: int, clipped_share: float, lossy_step: int
) -> None:
    photo = noisy_photo(seed, height, width, clipped_share, lossy_step=float(lossy_step))
    check_promises(photo, headroom.expand(photo, weights=compact_weights))


@pytest.mark.parametrize("code", [0, 128, 254, 255])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 97), (97, 1), (2, 2), (33, 31), (5, 1000)])
def test_degenerate_photos(compact_weights: Path, height: int, width: int, code: int) -> None:
    photo = flat_photo(height, width, code)
    hdr = headroom.expand(photo, weights=compact_weights)
    check_promises(photo, hdr)
    assert hdr.recovered is not None
    assert np.all(hdr.recovered == (code == 255))


def test_a_photo_of_many_cells_and_strips(compact_weights: Path) -> None:
    photo = noisy_photo(3, 1301, 997, 0.1)
    told: list[float] = []
    hdr = headroom.expand(photo, weights=compact_weights, progress=told.append)
    check_promises(photo, hdr)
    assert told == sorted(told)
    assert told[-1] == 1
    assert hdr.pixels.max() > 1.5


def test_one_clipped_channel_leaves_the_others_as_measured(compact_weights: Path) -> None:
    codes = np.full((64, 64, 3), 200, np.uint8)
    codes[16:48, 16:48, 0] = 255
    hdr = headroom.expand(Photo(codes, 8), weights=compact_weights)
    check_promises(Photo(codes, 8), hdr)
    assert hdr.pixels[32, 32, 0] > 1


@pytest.mark.parametrize("scale", [10.0, 1e4, 1e30, -1e30])
def test_weights_that_blow_up_stay_finite(compact_weights: Path, tmp_path: Path, scale: float) -> None:
    state = read_state_dict(compact_weights)
    blown_up = {name: (value * scale).clamp(-60_000, 60_000) for name, value in state.items()}
    pack(blown_up, tmp_path / "wild.safetensors", {})
    photo = noisy_photo(4, 40, 40, 0.2)
    check_promises(photo, headroom.expand(photo, weights=tmp_path / "wild.safetensors"))
    brightest = headroom.expand(photo, weights=tmp_path / "wild.safetensors", exposure_ev=32)
    assert np.isfinite(brightest.pixels).all()


def test_equal_seeds_give_equal_bits(compact_weights: Path) -> None:
    photo = noisy_photo(5, 50, 60, 0.2)
    one, other = (headroom.expand(photo, weights=compact_weights, seed=9) for _ in range(2))
    assert one.pixels.tobytes() == other.pixels.tobytes()
    assert one.provenance == other.provenance


@pytest.mark.parametrize(("exposure_ev", "headroom_stops"), [(0.0, 1.0), (0.0, 0.0), (1.0, 1.5), (-2.0, 1.0)])
def test_headroom_bounds_the_exposed_result(compact_weights: Path, exposure_ev: float, headroom_stops: float) -> None:
    photo = noisy_photo(6, 64, 64, 0.3)
    free = headroom.expand(photo, weights=compact_weights, exposure_ev=exposure_ev)
    bound = headroom.expand(photo, weights=compact_weights, exposure_ev=exposure_ev, max_headroom_stops=headroom_stops)
    assert bound.pixels.max() <= 2**headroom_stops * (1 + 1e-6)
    below = free.pixels < 2**headroom_stops
    if headroom_stops - exposure_ev > 0:
        assert (bound.pixels[free.recovered == 0] == free.pixels[free.recovered == 0]).all()
    assert (bound.pixels[below] <= free.pixels[below]).all()


def test_exposure_multiplies_everything(compact_weights: Path) -> None:
    photo = noisy_photo(7, 32, 32, 0.3)
    plain, brighter = (headroom.expand(photo, weights=compact_weights, exposure_ev=ev) for ev in (0.0, 2.0))
    np.testing.assert_array_equal(brighter.pixels, 4 * plain.pixels)


def test_a_bound_below_the_exposure_keeps_the_clip_level(compact_weights: Path) -> None:
    hdr = headroom.expand(flat_photo(8, 8, 255), weights=compact_weights, exposure_ev=3, max_headroom_stops=1)
    assert (hdr.pixels == 8).all()


def test_the_photo_travels_with_the_result(compact_weights: Path) -> None:
    photo = replace(
        noisy_photo(8, 16, 16, 0.2),
        encoding=Encoding("p3", "srgb", known=False),
        metadata=Metadata(exif=b"MM\0*"),
        source=Path("holiday.png"),
    )
    hdr = headroom.expand(photo, weights=compact_weights)
    assert (hdr.primaries, hdr.photo, hdr.metadata, hdr.source) == ("p3", photo, photo.metadata, photo.source)
    assert hdr.provenance["curve_known"] is False
    assert hdr.provenance["curve_uncertainty_stops"] > 0
    assert len(hdr.provenance["weights_sha256"]) == 64


def test_the_linear_method_recovers_nothing() -> None:
    photo = noisy_photo(9, 40, 30, 0.3)
    hdr = headroom.expand(photo, method="linear")
    np.testing.assert_allclose(hdr.pixels, srgb_to_light(photo.codes / 255), rtol=1e-6)
    assert hdr.recovered is not None
    assert not hdr.recovered.any()


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_hdr_photos_are_refused(transfer: TransferName) -> None:
    photo = replace(flat_photo(4, 4, 100), encoding=Encoding("bt2020", transfer), source=Path("film.avif"))
    with pytest.raises(InputError, match=rf"film.avif: is HDR already \({transfer}\)"):
        headroom.expand(photo, method="linear")


@pytest.mark.parametrize("exposure_ev", [np.nan, np.inf, -np.inf, 33.0])
def test_impossible_exposures_are_refused(exposure_ev: float) -> None:
    with pytest.raises(UsageError, match="exposure"):
        headroom.expand(flat_photo(4, 4, 100), method="linear", exposure_ev=exposure_ev)


@pytest.mark.parametrize("stops", [np.nan, -0.1, -np.inf])
def test_impossible_bounds_are_refused(stops: float) -> None:
    with pytest.raises(UsageError, match="headroom"):
        headroom.expand(flat_photo(4, 4, 100), method="linear", max_headroom_stops=stops)


def test_unknown_methods_and_presets_are_named() -> None:
    with pytest.raises(UsageError, match=r"no method 'magic'; there are .*hybrid_ae.*linear"):
        headroom.expand(flat_photo(4, 4, 100), method="magic")
    with pytest.raises(UsageError, match="hybrid_ae has no preset 'huge'; it has compact, paper"):
        headroom.expand(flat_photo(4, 4, 100), preset="huge")


@pytest.mark.parametrize("method", ["lf_diff", "sagiri", "latent_prior"])
def test_methods_for_something_else_are_refused(method: str) -> None:
    with pytest.raises(UsageError, match=rf"^{method} is a method to \w+\. Choose one of hybrid_ae, lediff, linear\.$"):
        headroom.expand(Photo(np.zeros((8, 8, 3), np.uint8), 8), method=method)


def test_a_photo_larger_than_a_tile(tmp_path: Path) -> None:
    torch.manual_seed(0)
    method = load("hybrid_ae")
    pack(method.build(method.presets["paper"].settings).state_dict(), tmp_path / "paper.safetensors", {})
    photo = noisy_photo(10, 90, 600, 0.2)
    hdr = headroom.expand(photo, preset="paper", weights=tmp_path / "paper.safetensors")
    check_promises(photo, hdr)
    assert hdr.pixels.max() > 1
