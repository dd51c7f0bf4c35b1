from __future__ import annotations

import json
import os
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hdr_vdp_octave import scores
from hdr_vdp_pairs import PAIRS, Pair, Picture, scene
from PIL import Image

from headroom.errors import UsageError
from headroom.metrics.hdr_vdp import hdr_vdp2_quality, hdr_vdp3_quality, pixels_per_degree
from headroom.metrics.hdr_vdp.pyramid import steerable_pyramid
from headroom.metrics.hdr_vdp.steerable_filters import SteerableFilters, four_orientations, one_orientation
from headroom.metrics.resizing import resize

REFERENCE = json.loads(Path(__file__).with_name("hdr_vdp_reference.json").read_text())
QUALITIES = {"2.2.1": hdr_vdp2_quality, "3.0.7": hdr_vdp3_quality}
BEST = {"2.2.1": 100, "3.0.7": 10}
VERSIONS = pytest.mark.parametrize("version", QUALITIES)
GENERATOR = np.random.default_rng(3)
SCENE = scene((64, 96), GENERATOR)


@VERSIONS
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_the_authors_program(pair: Pair, version: str) -> None:
    # Octave's imresize, unlike MATLAB's, doesn't scale its weights to a sum of 1, which matters for odd sizes.
    found = QUALITIES[version](*pair.pictures(), pair.pixels_per_degree)
    assert found == pytest.approx(REFERENCE[pair.name][version], abs=1e-4)


@pytest.mark.external
@VERSIONS
def test_the_authors_program_again(version: str) -> None:
    folder = os.environ.get(f"HDRVDP_{version.replace('.', '_')}")
    if not folder or not shutil.which("octave-cli"):
        pytest.skip(f"HDRVDP_{version.replace('.', '_')} names no folder with the program, or there is no octave-cli")
    found = scores(version, Path(folder), PAIRS)
    assert found == pytest.approx([REFERENCE[pair.name][version] for pair in PAIRS], abs=1e-6)


@VERSIONS
def test_the_same_picture_is_perfect(version: str) -> None:
    assert QUALITIES[version](SCENE, SCENE, 30) == BEST[version]


@VERSIONS
def test_more_of_the_same_noise_is_worse(version: str) -> None:
    noise = GENERATOR.normal(size=SCENE.shape)
    found = [QUALITIES[version](SCENE * np.exp2(stops * noise), SCENE, 30) for stops in (0.02, 0.1, 0.3, 1.0)]
    assert all(better > worse for better, worse in pairwise([BEST[version] + 1e-9, *found]))


def test_from_afar_less_is_seen() -> None:
    noisy = SCENE * np.exp2(GENERATOR.normal(0, 0.3, SCENE.shape))
    near, far = (hdr_vdp3_quality(noisy, SCENE, resolution) for resolution in (20, 60))
    assert far > near


def test_in_the_dark_less_is_seen() -> None:
    noisy = SCENE * np.exp2(GENERATOR.normal(0, 0.1, SCENE.shape))
    bright, dark = (hdr_vdp3_quality(noisy * gain, SCENE * gain, 30) for gain in (1.0, 1e-3))
    assert dark > bright


@VERSIONS
def test_mirrored_pictures_score_the_same(version: str) -> None:
    # Only the steps of the pyramid and the frame of the optics know where the first pixel is.
    noisy = SCENE * np.exp2(GENERATOR.normal(0, 0.3, SCENE.shape))
    found = QUALITIES[version](noisy, SCENE, 30)
    assert QUALITIES[version](noisy[:, ::-1], SCENE[:, ::-1], 30) == pytest.approx(found, abs=0.2)


@pytest.mark.parametrize(
    ("test", "reference", "resolution", "words"),
    [
        (SCENE[:-1], SCENE, 30, "one size"),
        (SCENE[:16], SCENE[:16], 30, "at least 17"),
        (SCENE[..., 0], SCENE[..., 0], 30, "H x W x 3"),
        (SCENE * np.nan, SCENE, 30, "test: values from nan"),
        (-SCENE, SCENE, 30, "test: values from"),
        (SCENE, SCENE / SCENE.max(), 30, "at most 1 cd/m2"),
        (SCENE, SCENE, 3, "3 pixels per degree"),
    ],
)
@VERSIONS
def test_what_is_refused(version: str, test: Picture, reference: Picture, resolution: float, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        QUALITIES[version](test, reference, resolution)


def test_the_display_of_a_paper() -> None:
    # GMODiff's 30-inch display of 1500 x 1000 pixels, seen from 0.5 m: it is 423 mm tall.
    tall = 30 * 25.4 / np.hypot(1.5, 1)
    assert pixels_per_degree(30, (1500, 1000), 0.5) == pytest.approx(1000 / np.degrees(2 * np.arctan(tall / 1000)))


@pytest.mark.parametrize("filters", [one_orientation(), four_orientations()])
def test_the_bands_of_a_pyramid_are_the_whole_picture(filters: SteerableFilters) -> None:
    # Without its last halving, a pyramid passes all frequencies equally: the squared responses sum to 1.
    def power(kernel: Picture) -> Picture:
        return np.abs(np.fft.fft2(kernel, (64, 64))) ** 2

    low = power(filters.low) * (sum(map(power, filters.oriented)) + power(filters.halve) / 4)
    np.testing.assert_allclose(power(filters.high) + low, 1, atol=0.12)


def test_orientations_are_told_apart() -> None:
    wave = np.sin(np.arange(64) * 2 * np.pi / 4.5)
    for lines, best in ((np.tile(wave, (64, 1)), 0), (np.tile(wave[:, None], (1, 64)), 2)):
        energy = [float((band**2).sum()) for band in steerable_pyramid(lines, four_orientations(), 1)[1]]
        assert energy.index(max(energy)) == best
        assert energy[(best + 2) % 4] < 1e-3 * energy[best]


@pytest.mark.parametrize("shape", [(30, 44), (15, 22), (60, 88), (17, 61)])
def test_resizing_is_that_of_pillow_away_from_edges(shape: tuple[int, int]) -> None:
    # Pillow's bicubic is Keys' too, and widened when it shrinks; at edges it leaves out what MATLAB mirrors.
    picture = GENERATOR.normal(size=(30, 44)).astype(np.float32)
    theirs = np.asarray(Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BICUBIC))
    inner = (slice(6, -6), slice(6, -6)) if min(shape) > 20 else (slice(3, -3), slice(3, -3))
    np.testing.assert_allclose(resize(picture.astype(np.float64), shape)[inner], theirs[inner], atol=2e-6)


def test_resizing_keeps_a_plain_picture_plain() -> None:
    np.testing.assert_allclose(resize(np.full((9, 13), 7.0), (5, 31)), 7)
