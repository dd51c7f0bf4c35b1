"""Crushed codes: replaced only by light that they could have stood for, and only where a method recovers shadows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pictures import light_to_srgb, srgb_to_light
from torch import Tensor, nn

from headroom.colour.code_ends import CRUSH_LEVEL
from headroom.colour.transfer import decode_codes
from headroom.image import Encoding, FloatImage, Photo
from headroom.methods.contract import Capabilities, ExpandInput, Method, Preset, Progress
from headroom.restore.clipping import crush_level, crushed_codes, recovery_weight
from headroom.restore.compose import GainRows, Shadows, compose, no_gain
from headroom.restore.network import Loaded
from headroom.restore.plan import make_plan
from headroom.restore.predict import Predictor


def dark_photo(seed: int, height: int = 24, width: int = 40) -> Photo:
    generator = np.random.default_rng(seed)
    return Photo(generator.integers(0, 24, (height, width, 3), dtype=np.uint8), 8)


def composed(photo: Photo, gain: GainRows, weight: NDArray[np.uint8]) -> tuple[FloatImage, FloatImage]:
    """Compose a photo of which nothing is clipped."""
    return compose(
        lambda start, stop: decode_codes(photo.codes[start:stop], photo.encoding, photo.bit_depth),
        np.zeros(photo.codes.shape, np.uint8),
        no_gain,
        strip_rows=7,
        max_gain_stops=20,
        progress=lambda _share: None,
        shadows=Shadows(weight, gain, crush_level(photo)),
    )


def test_the_level_is_the_light_of_the_first_code_that_is_not_crushed() -> None:
    assert pytest.approx(srgb_to_light(np.array(8 / 255)), rel=1e-6) == CRUSH_LEVEL
    for bit_depth in (8, 12, 16):
        codes = np.repeat(np.arange(20, dtype=np.uint16).reshape(4, 5, 1), 3, axis=2)
        photo = Photo(codes, bit_depth, Encoding("bt709", "gamma22"))
        np.testing.assert_array_equal(crushed_codes(photo), codes < 8)
        np.testing.assert_allclose(crush_level(photo), (8 / (2**bit_depth - 1)) ** 2.2, rtol=1e-5)
    floats = np.repeat(np.array([0, 1e-6, 0.5, 1], np.float32).reshape(2, 2, 1), 3, axis=2)
    np.testing.assert_array_equal(crushed_codes(Photo(floats, 32)), floats == 0)


@given(seed=st.integers(0, 2**32), scale=st.floats(0, 100))
def test_no_gain_leads_beyond_what_a_code_could_have_meant(seed: int, scale: float) -> None:
    photo = dark_photo(seed)
    gain = torch.from_numpy(scale * np.random.default_rng(seed).normal(size=photo.codes.shape).astype(np.float32))
    weight = recovery_weight(crushed_codes(photo))
    pixels, recovered = composed(photo, lambda start, stop: gain[start:stop], weight)
    light = srgb_to_light(photo.codes / 255)
    crushed = photo.codes < 8
    np.testing.assert_allclose(pixels[~crushed], light[~crushed], rtol=1e-6)
    assert (pixels >= 0).all()
    assert (pixels[crushed] <= CRUSH_LEVEL * (1 + 1e-6)).all()
    np.testing.assert_array_equal(recovered > 0, crushed.any(axis=2))


def test_right_gains_give_the_right_light() -> None:
    truth = np.random.default_rng(0).uniform(0, CRUSH_LEVEL, (40, 40, 3)).astype(np.float32)
    photo = Photo(np.floor(255 * light_to_srgb(truth)).astype(np.uint8), 8)
    assert crushed_codes(photo).all()
    gain = torch.from_numpy(np.log2(truth / CRUSH_LEVEL).astype(np.float32))
    pixels, recovered = composed(photo, lambda start, stop: gain[start:stop], recovery_weight(crushed_codes(photo)))
    np.testing.assert_allclose(pixels, truth, rtol=1e-4)
    assert (recovered == 1).all()


@pytest.mark.parametrize("stops", [-20.0, -2.0, 0.0, 5.0])
def test_a_slope_into_the_shadows_keeps_its_way_down(stops: float) -> None:
    # Whatever is predicted, a step at the border is no larger than that from the first measured code to black.
    codes = np.repeat(np.linspace(40, 0, 200).round().astype(np.uint8)[None], 30, axis=0)
    photo = Photo(np.repeat(codes[..., None], 3, axis=2), 8)
    gain = torch.full((30, 200, 3), stops)
    pixels, _ = composed(photo, lambda start, stop: gain[start:stop], recovery_weight(crushed_codes(photo)))
    steps = np.abs(np.diff(pixels, axis=1))
    assert steps.max() <= CRUSH_LEVEL * (1 + 1e-6)
    assert pixels[:, codes[0] < 8].max() <= pixels[:, codes[0] >= 8].min() * (1 + 1e-6)


def _says_half(network: nn.Module, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Say that crushed cells have half the light of the crush level, and all others a hundred times theirs."""
    del network, generator
    progress(1.0)
    assert inputs.crushed is not None
    return torch.where(inputs.crushed > 0.5, -1.0, 6.6)


@pytest.mark.parametrize("capabilities", [Capabilities(working_side_px=32), Capabilities(tile_px=64, overlap_px=16)])
def test_bright_cells_do_not_speak_for_crushed_ones(capabilities: Capabilities) -> None:
    codes = np.full((128, 128, 3), 90, np.uint8)
    codes[32:96, 32:96] = 3
    preset = Preset(None, capabilities, (), "")
    method = Method("halves", "expand", "", {"only": preset}, lambda _: nn.Identity(), _says_half)
    plan = make_plan(128, 128, capabilities)
    predict = Predictor(Loaded(method, preset, "only", nn.Identity(), None), plan, 0, lambda _share: None)
    rows = predict(codes, np.zeros(codes.shape, np.bool_)).shadows
    photo = Photo(codes, 8)
    pixels, recovered = composed(photo, rows, recovery_weight(crushed_codes(photo)))
    np.testing.assert_allclose(pixels[48:80, 48:80], CRUSH_LEVEL / 2, rtol=0.02)
    np.testing.assert_array_equal(recovered > 0, codes[..., 0] == 3)
    if capabilities.working_side_px:  # coarse cells, weighted by what is crushed in them, reach up to the border
        np.testing.assert_allclose(pixels[34:94, 34:94], CRUSH_LEVEL / 2, rtol=0.02)
