"""Results and truths in the units of metrics: each conversion from its definition."""

from __future__ import annotations

import numpy as np
import pytest

from headroom.benchmark.item import Item
from headroom.benchmark.judge import judge_of
from headroom.benchmark.measure import Meter
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, UsageError
from headroom.image import Bracket, Hdr, Photo
from headroom.metrics import registry

GENERATOR = np.random.default_rng(0)
SCENE = np.exp2(GENERATOR.uniform(-4, 3, (20, 24, 3))).astype(np.float32)
CODES = np.rint(255 * np.clip(SCENE, 0, 1) ** (1 / 2.2)).astype(np.uint8)
FULL_SCALE = (SCENE / SCENE.max()).astype(np.float32)


def no_truth() -> Hdr:
    raise DataError("this data set has no truth")


def photo_item(truth=lambda: Hdr(SCENE)) -> Item:
    return Item("one", lambda: Photo(CODES, 8), truth)


def bracket_scene(mask=None) -> BracketScene:
    return BracketScene("one", (-2.0, 0.0, 2.0), lambda: Bracket((), ()), lambda: FULL_SCALE, lambda: mask)


@pytest.mark.parametrize("gain", [0.1, 1, 30])
def test_photos_are_brought_to_the_scale_of_their_photo(gain: float) -> None:
    pair = judge_of(photo_item()).pair(Hdr(SCENE * np.float32(gain)), "light")
    np.testing.assert_allclose(pair.prediction, pair.truth, rtol=1e-5)
    # The photo was taken with a gamma of 2.2, which the sRGB curve is near to.
    np.testing.assert_allclose(pair.truth, SCENE, rtol=0.1)


def test_the_brightest_true_value_is_shown_at_1000_nits() -> None:
    for judge, result in ((judge_of(photo_item()), SCENE * 3), (judge_of(bracket_scene()), FULL_SCALE * 4)):
        pair = judge.pair(Hdr(result), "nits")
        assert pair.truth.max() == pytest.approx(1000)
        np.testing.assert_allclose(pair.prediction, pair.truth, rtol=1e-4)


def test_without_a_truth_white_is_at_203_nits() -> None:
    light = judge_of(photo_item(no_truth)).pair(Hdr(SCENE), "light").prediction
    pair = judge_of(photo_item(no_truth)).pair(Hdr(SCENE), "nits")
    assert pair.truth is None
    np.testing.assert_allclose(pair.prediction, 203 * light, rtol=1e-6)


def test_codes_of_photos_are_reinhard_in_the_srgb_curve() -> None:
    judge = judge_of(photo_item())
    light, codes = (judge.pair(Hdr(SCENE), domain).truth for domain in ("light", "codes"))
    compressed = light / (1 + light)
    expected = np.where(compressed <= 0.0031308, 12.92 * compressed, 1.055 * compressed ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(codes, expected, atol=1e-5)


def test_brackets_are_taken_in_units_of_the_middle_frame_and_cut_off_at_the_shortest() -> None:
    judge = judge_of(bracket_scene())
    pair = judge.pair(Hdr(np.full_like(FULL_SCALE, 2.0)), "full-scale")
    np.testing.assert_allclose(pair.prediction, 0.5)  # two stops, a factor of 4
    assert judge.pair(Hdr(np.full_like(FULL_SCALE, 40.0)), "full-scale").prediction.max() == 1
    np.testing.assert_allclose(judge.pair(Hdr(FULL_SCALE), "light").truth, 4 * FULL_SCALE)


def test_codes_of_brackets_are_their_mu_law() -> None:
    pair = judge_of(bracket_scene()).pair(Hdr(4 * FULL_SCALE), "codes")
    np.testing.assert_allclose(pair.prediction, np.log(1 + 5000 * FULL_SCALE) / np.log(5001), atol=1e-5)


def test_an_sdr_result_is_codes_without_a_truth() -> None:
    result = Photo(CODES, 8)
    pair = judge_of(photo_item()).pair(result, "codes")
    assert pair.truth is None
    np.testing.assert_allclose(pair.prediction, CODES / 255, atol=1e-6)
    with pytest.raises(DataError, match="SDR picture"):
        judge_of(photo_item()).pair(result, "light")


def test_units_of_the_other_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="full-scale: units that results of a photo to expand"):
        judge_of(photo_item()).pair(Hdr(SCENE), "full-scale")


def test_a_mask_of_another_size_is_named() -> None:
    with pytest.raises(DataError, match="one: 3 x 2 px mask, 24 x 20 px truth"):
        judge_of(bracket_scene(np.ones((2, 3), np.bool_)))


def test_metrics_that_need_what_is_not_there_stop_no_other() -> None:
    meter = Meter(registry.find(["stops", "pu21_piqe", "pu21_psnr"]))
    large = np.tile(SCENE, (5, 5, 1))
    item = Item("one", lambda: Photo(np.tile(CODES, (5, 5, 1)), 8), no_truth)
    readings = meter.read(judge_of(item), Hdr(large))
    assert list(readings.errors) == ["this data set has no truth"]
    assert readings.values.keys() == {"pu21_piqe"}
