"""The curve is the file's own or sRGB, and the uncertainty is what drawn camera responses really do to mid-tones."""

import numpy as np
import pytest
import torch

from headroom.colour.transfer import decode, encode
from headroom.data.response import sample_responses
from headroom.image import Encoding, Photo
from headroom.restore.linearise import linearise

UNTAGGED = Encoding(known=False)


def grey(levels):
    """An 8-bit photo of grey stripes."""
    return np.repeat(np.asarray(levels, np.uint8)[None, :, None], 3, axis=2).repeat(8, axis=0)


@pytest.mark.parametrize("encoding", [Encoding(), Encoding("adobe-rgb", "adobe-rgb"), Encoding(transfer="linear")])
def test_a_named_curve_is_certain(encoding):
    curve = linearise(Photo(grey([20, 200]), 8, encoding))
    assert curve.encoding is encoding
    assert curve.uncertainty_stops == 0


def test_an_untagged_photo_is_srgb_even_where_its_edges_are_straight_in_codes():
    scene = np.random.default_rng(0).random((64, 64, 3)).repeat(2, axis=0).repeat(2, axis=1)
    blended_codes = (scene[:-1] + scene[1:]) / 2
    photo = Photo(np.rint(blended_codes * 255).astype(np.uint8), 8, UNTAGGED)
    assert linearise(photo).encoding is UNTAGGED


def test_uncertainty_is_a_share_of_the_contrast():
    def uncertainty(light):
        return linearise(Photo(grey(np.rint(255 * encode(np.asarray(light), "srgb"))), 8, UNTAGGED)).uncertainty_stops

    one_stop, two_stops = uncertainty([0.1, 0.2]), uncertainty([0.1, 0.4])
    assert one_stop == pytest.approx(0.24 / 2, rel=0.05)  # Two tones a stop apart lie half a stop from their mean.
    assert two_stops == pytest.approx(2 * one_stop, rel=0.05)
    assert uncertainty([0.3]) == 0


def test_only_mid_tones_count():
    mid_tones = linearise(Photo(grey([40, 90, 150, 200]), 8, UNTAGGED)).uncertainty_stops
    with_ends = linearise(Photo(grey([0, 3, 40, 90, 150, 200, 250, 255]), 8, UNTAGGED)).uncertainty_stops
    assert with_ends == pytest.approx(mid_tones)


@pytest.mark.parametrize("level", [0, 255])
def test_a_photo_without_mid_tones_has_nothing_to_be_unsure_of(level):
    assert linearise(Photo(grey([level]), 8, UNTAGGED)).uncertainty_stops == 0


def test_depth_and_size_do_not_matter():
    light = np.linspace(0.02, 0.9, 1200, dtype=np.float32)
    codes = np.repeat(encode(light, "srgb")[None, :, None], 3, axis=2)
    photos = [
        Photo(codes, 32, UNTAGGED),
        Photo(np.rint(codes * 65535).astype(np.uint16), 16, UNTAGGED),
        Photo(np.rint(codes * 255).astype(np.uint8).repeat(1200, axis=0), 8, UNTAGGED),
    ]
    first, *others = (linearise(photo).uncertainty_stops for photo in photos)
    assert others == pytest.approx([first, first], rel=0.01)


def test_it_is_about_the_error_that_drawn_cameras_cause():
    families = ["srgb", "gamma", "sigmoid", "monotone", "shoulder"] * 40
    tables = sample_responses(families, torch.Generator().manual_seed(0)).numpy()
    table_light = np.linspace(0, 1, tables.shape[1]) ** 2
    stops = np.random.default_rng(0).normal(-2.5, 1.3, 4000)  # of a scene's light below full scale
    errors, uncertainties = [], []
    for table in tables:
        codes = np.rint(255 * np.interp(np.minimum(np.exp2(stops), 1), table_light, table)).astype(np.uint8)
        mid_tones = (codes >= 16) & (codes <= 239)
        errors.append((np.log2(decode(codes[mid_tones] / 255, "srgb")) - stops[mid_tones]).std())
        uncertainties.append(linearise(Photo(grey(codes)[:1], 8, UNTAGGED)).uncertainty_stops)
    error, uncertainty = (np.sqrt(np.mean(np.square(values))) for values in (errors, uncertainties))
    assert uncertainty == pytest.approx(error, rel=0.25)
