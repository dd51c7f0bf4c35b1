from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headroom.colour.transfer import encode
from headroom.errors import InputError, UsageError
from headroom.image import Bracket, Encoding, Photo, TransferName
from headroom.restore.exposures import settle
from headroom.restore.quantiles import code_quantiles
from headroom.restore.response import disagreement_stops, recover

SIDE = 96
TIMES = (0.25, 1.0, 4.0)


def scene(seed: int = 3) -> NDArray[np.float32]:
    """Light over eight stops: smooth, coloured and textured."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    stops = 8 * x - 6 + np.sin(9 * y) + generator.normal(0, 0.2, (SIDE, SIDE))
    return np.exp2(stops[..., None] + np.array([0.2, 0.0, -0.3])).astype(np.float32)


def shot(light: NDArray[np.float32], curve: TransferName = "srgb", name: str = "a.jpg", known: bool = True) -> Photo:
    codes = np.rint(encode(np.minimum(light, 1), curve) * 255).astype(np.uint8)
    return Photo(codes, 8, Encoding(known=known), source=Path(name))


def frames(curve: TransferName = "srgb", known: bool = True) -> list[Photo]:
    return [shot(scene() * time, curve, f"{i}.jpg", known) for i, time in enumerate(TIMES)]


def test_frames_are_sorted_whatever_their_order() -> None:
    short, middle, long = frames()
    settled = settle(Bracket((long, short, middle), (5.0, 1.0, 3.0)))
    assert settled.photos == (short, middle, long)
    assert settled.exposures == (1, 4, 16)
    assert settled.reference == 1
    assert settled.warnings == ()
    np.testing.assert_allclose(settled.linear(1), np.minimum(scene(), 1), atol=0.01)


def test_a_chosen_reference_stays_the_same_photo() -> None:
    short, middle, long = frames()
    settled = settle(Bracket((long, short, middle), (2.0, -2.0, 0.0), reference=0))
    assert settled.photos[settled.reference] is long


def test_unknown_exposures_are_estimated_though_everything_moved() -> None:
    moved = [shot(np.roll(scene() * time, 17 * i, axis=i % 2), name=f"{i}.jpg") for i, time in enumerate(TIMES)]
    settled = settle(Bracket((moved[1], moved[2], moved[0]), (None, 0.0, None)))
    np.testing.assert_allclose(np.log2(settled.exposures), [0, 2, 4], atol=0.05)
    (warning,) = settled.warnings
    assert "1.jpg, 0.jpg: no exposure is known" in warning


def test_estimated_exposures_and_the_curve_fit_each_other() -> None:
    # A camera of much contrast: under sRGB, its frames would contradict each other where one takes over from another.
    photos = []
    for i, time in enumerate(TIMES):
        code = np.minimum(scene() * time, 1) ** (1 / 2.2)
        codes = np.rint(255 * code**2 * (3 - 2 * code)).astype(np.uint8)
        photos.append(Photo(codes, 8, Encoding(known=False), source=Path(f"{i}.jpg")))
    settled = settle(Bracket(tuple(photos), (None, None, None)))
    quantiles = [code_quantiles(photo) for photo in photos]
    of_srgb, of_settled = (
        disagreement_stops(quantiles, settled.exposures, encoding) for encoding in (Encoding(), settled.encodings[0])
    )
    assert of_settled < 0.5 * of_srgb


def test_frames_that_share_no_light_ask_for_their_exposures() -> None:
    black, white = (Photo(np.full((9, 9, 3), code, np.uint8), 8, source=Path(f"{code}.png")) for code in (0, 255))
    with pytest.raises(InputError, match=r"255\.png.*--ev"):
        settle(Bracket((black, white), (None, None)))


def test_a_clipped_or_black_median_frame_is_no_reference() -> None:
    light = scene()
    photos = tuple(shot(light * time, name=f"{time}.jpg") for time in (0.5, 64.0, 256.0))
    assert settle(Bracket(photos, (-1.0, 6.0, 8.0))).reference == 0
    photos = tuple(shot(light * time, name=f"{time}.jpg") for time in (1e-5, 1e-4, 1.0))
    assert settle(Bracket(photos, (-16.6, -13.3, 0.0))).reference == 2


def test_a_curve_that_the_exposures_contradict_is_recovered() -> None:
    # A camera of gamma 3 whose files say sRGB.
    codes = [np.rint(np.minimum(scene() * time, 1) ** (1 / 3) * 255).astype(np.uint8) for time in TIMES]
    photos = tuple(Photo(c, 8, Encoding(), source=Path(f"{i}.jpg")) for i, c in enumerate(codes))
    settled = settle(Bracket(photos, (-2.0, 0.0, 2.0)))
    assert "recovered" in settled.warnings[0]
    for i, time in enumerate(TIMES):
        light = np.minimum(scene() * time, 1)
        usable = (light > 0.02) & (light < 0.9)
        error = np.log2(settled.linear(i)[usable] / light[usable])
        assert np.abs(error - np.median(error)).mean() < 0.1


@pytest.mark.parametrize("curve", ["gamma22", "linear", "bt709"])
def test_a_named_curve_that_fits_is_taken_by_its_name(curve: TransferName) -> None:
    settled = settle(Bracket(tuple(frames(curve, known=False)), (-2.0, 0.0, 2.0)))
    assert {encoding.transfer for encoding in settled.encodings} == {curve}
    assert f"contradict the curve srgb, and fit {curve}" in settled.warnings[0]


@pytest.mark.parametrize("error_ev", [0.0, 0.08])
def test_a_curve_that_fits_stays_though_exposures_are_rounded(error_ev: float) -> None:
    for known in (True, False):
        settled = settle(Bracket(tuple(frames(known=known)), (-2.0, error_ev, 2.0)))
        assert settled.warnings == ()
        assert {encoding.transfer for encoding in settled.encodings} == {"srgb"}


def test_a_curve_that_is_given_stays() -> None:
    given = Encoding(transfer="gamma22")
    settled = settle(Bracket(tuple(frames()), (-2.0, 0.0, 2.0), encoding=given))
    assert settled.warnings == ()
    assert set(settled.encodings) == {given}


def test_the_recovered_curve_is_that_of_another_implementation() -> None:
    # Debevec and Malik's system, written down here again and solved by NumPy.
    photos = frames("gamma18", known=False)
    quantiles = [code_quantiles(photo) for photo in photos]
    own = recover(quantiles, [1, 4, 16], photos[0].encoding).table
    assert own is not None
    codes = np.stack([np.rint(q * 255).astype(int) for q in quantiles])  # frames x ranks x channels
    curves = [_solve(codes[..., channel], np.log([1, 4, 16])) for channel in range(3)]
    expected = np.exp(np.mean(curves, axis=0))
    middle = slice(30, 230)
    ratio = np.log2(own[middle] / expected[middle])
    assert np.abs(ratio - np.median(ratio)).max() < 0.15
    encoding = Encoding(table=own, transfer=None)
    assert disagreement_stops(quantiles, [1, 4, 16], encoding) < disagreement_stops(quantiles, [1, 4, 16], Encoding())


def _solve(codes: NDArray[np.int_], log_times: NDArray[np.float64]) -> NDArray[np.float64]:
    count, smoothness = codes.shape[1], 30.0
    rows, right = [], []
    for frame, log_time in zip(codes, log_times, strict=True):
        for rank, code in enumerate(frame):
            weight = min(code, 255 - code) + 1
            row = np.zeros(256 + count)
            row[code], row[256 + rank] = weight, -weight
            rows.append(row)
            right.append(weight * log_time)
    for code in range(1, 255):
        row = np.zeros(256 + count)
        row[code - 1 : code + 2] = smoothness * (min(code, 255 - code) + 1) * np.array([1, -2, 1])
        rows.append(row)
        right.append(0.0)
    fixed = np.zeros(256 + count)
    fixed[128] = 1
    return np.asarray(np.linalg.lstsq(np.array([*rows, fixed]), np.array([*right, 0.0]), rcond=None)[0][:256])


@pytest.mark.parametrize(
    ("bracket", "error", "words"),
    [
        (Bracket((shot(scene()),), (0.0,)), InputError, "2 to 9"),
        (Bracket((shot(scene()),) * 10, (0.0,) * 10), InputError, "2 to 9"),
        (Bracket((shot(scene()),) * 2, (0.0,)), UsageError, "1 exposures for 2"),
        (Bracket((shot(scene()),) * 2, (0.0, 1.0), reference=2), UsageError, "reference 2"),
        (Bracket((shot(scene()), shot(scene()[:9], name="b.jpg")), (0.0, 1.0)), InputError, r"b\.jpg: is 96 x 9,"),
    ],
)
def test_what_is_no_bracket_is_named(bracket: Bracket, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        settle(bracket)


def test_sixteen_bits_settle_as_eight_do() -> None:
    codes = [np.rint(encode(np.minimum(scene() * time, 1), "srgb") * 65535).astype(np.uint16) for time in TIMES]
    settled = settle(Bracket(tuple(Photo(c, 16) for c in codes), (None,) * 3))
    np.testing.assert_allclose(np.log2(settled.exposures), [0, 2, 4], atol=0.02)
