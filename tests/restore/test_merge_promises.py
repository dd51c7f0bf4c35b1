"""The promises of a merged bracket, on scenes that are known at every point."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hand_held import look, over, waves
from numpy.typing import NDArray
from small_brackets import (
    SIZE,
    Scene,
    bracket_of,
    coded,
    decibels,
    hand_held_views,
    light_of,
    reference_of,
    reordered,
    replaced,
    strangers,
    taken,
    wavy,
)
from torch import Tensor

import headroom
from headroom.errors import InputError, UsageError
from headroom.image import Bracket, Hdr, Photo
from headroom.methods import load
from headroom.methods.contract import MergeInput
from headroom.restore.bracket_input import pad_merge_input
from headroom.restore.exposures import settle
from headroom.restore.fuse import RunMethod, fuse
from headroom.restore.gather import gather
from headroom.restore.network import load_network

METHODS = ["lf_diff", "debevec"]
BRACKETS = [(-2, 0, 2), (-3, 0, 3), (-2, -1, 0, 1, 2)]


def lamps(peak: float) -> Scene:
    """A dim scene with a lamp of about 20 pixels in diameter."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    glow = np.exp(-(((rows - 50) ** 2 + (columns - 70) ** 2) / 120))
    return 0.5 * wavy(3) + peak * glow[..., None] * [1.0, 0.7, 0.4]


def with_a_ball(seed: int, count: int) -> list[Scene]:
    """Views of a scene through which a ball flies."""
    ball = waves(seed + 50, contrast=0.4)
    return [0.3 * look(over(waves(seed), ball, (20 + 100 * i / count, 56), 14), *SIZE) for i in range(count)]


def check_honesty(hdr: Hdr, reference: Photo, stops_above: float) -> None:
    """Check what holds for every merged bracket.

    Args:
        hdr: The result.
        reference: The frame that it is seen from.
        stops_above: How many stops the shortest frame reaches above the reference.
    """
    assert hdr.pixels.dtype == np.float32
    assert hdr.pixels.shape == reference.codes.shape
    assert np.isfinite(hdr.pixels).all()
    assert hdr.pixels.min() >= 0
    assert hdr.pixels.max() <= 2**stops_above * (1 + 1e-5)
    assert (hdr.pixels[reference.codes == reference.top_code] >= 1 - 1e-5).all()
    assert hdr.recovered is not None
    assert hdr.recovered.shape == hdr.pixels.shape[:2]
    assert 0 <= hdr.recovered.min() <= hdr.recovered.max() <= 1


# --- identical frames


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [8, 16])
def test_one_photo_given_several_times_comes_back(method: str, bits: int) -> None:
    photo = taken(wavy(1), 0, 5, bits=bits)
    for count in (2, 3, 9):
        hdr = headroom.merge(Bracket((photo,) * count, (0.0,) * count), method=method)
        np.testing.assert_allclose(hdr.pixels, light_of(photo), atol=1e-4)
        assert not hdr.provenance["rejected"]
        assert hdr.recovered is not None
        assert np.all(hdr.recovered[(photo.codes < 0.95 * photo.top_code).all(axis=-1)] == 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("evs", BRACKETS)
def test_exact_exposures_of_one_light_give_it_back(method: str, evs: tuple[float, ...]) -> None:
    scene = np.minimum(wavy(2), 2.0 ** -min(evs))
    frames = Bracket(tuple(coded(scene * 2.0**ev) for ev in evs), tuple(map(float, evs)))
    hdr = headroom.merge(frames, method=method)
    np.testing.assert_allclose(hdr.pixels, scene, atol=1e-4)
    assert not hdr.provenance["rejected"]


# --- order


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_frames_changes_nothing(method: str) -> None:
    frames = bracket_of(hand_held_views(4, 4), (-2, 0, 0, 2))
    frames = replaced(frames, 3, strangers(4, 2)["noise"])
    results = {
        headroom.merge(reordered(frames, order), method=method).pixels.tobytes()
        for order in itertools.islice(itertools.permutations(range(4)), 0, None, 7)
    }
    assert len(results) == 1


def test_the_order_of_frames_of_unknown_exposure_changes_nothing() -> None:
    frames = bracket_of(wavy(4), (-2, 0, 2))
    unknown = Bracket(frames.frames, (None, None, None))
    orders = ((0, 1, 2), (2, 0, 1), (1, 2, 0))
    results = {headroom.merge(reordered(unknown, order)).pixels.tobytes() for order in orders}
    assert len(results) == 1


# --- light that no frame, or only some, can see


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("evs", [(-2, 0, 2), (-2, 0), (0, 2), (-4, -2, 0, 2, 4)])
def test_light_that_clips_everywhere_is_full_scale_of_the_shortest(
    method: str, bits: int, evs: tuple[float, ...]
) -> None:
    scene = lamps(60)
    noisy = bracket_of(scene, evs, bits=bits)
    clean = replace(noisy, frames=tuple(coded(scene * 2.0**ev, bits=bits) for ev in evs))
    for frames in (noisy, clean):
        hdr = headroom.merge(frames, method=method)
        seen_from = reference_of(hdr)
        reach = evs[seen_from] - evs[0]
        check_honesty(hdr, frames.frames[seen_from], reach)
        clipped = frames.frames[0].codes == frames.frames[0].top_code
        assert clipped.any()
        np.testing.assert_allclose(hdr.pixels[clipped], 2.0**reach, rtol=1e-3)
        assert hdr.recovered is not None
        assert np.all(hdr.recovered[clipped.any(axis=-1)] == 1)


@pytest.mark.parametrize("method", METHODS)
def test_light_that_one_frame_sees_is_measured(method: str) -> None:
    scene = lamps(3.5)
    frames = bracket_of(scene, (-2, 0, 2))
    hdr = headroom.merge(frames, method=method)
    clipped = frames.frames[1].codes == 65535
    assert clipped.sum() > 300
    assert np.abs(hdr.pixels / scene - 1)[clipped].max() < 0.1
    assert np.abs(hdr.pixels / scene - 1)[clipped].mean() < 0.02
    assert hdr.recovered is not None
    assert np.all(hdr.recovered == 0)


@pytest.mark.parametrize("method", METHODS)
def test_the_mask_is_where_no_unclipped_sample_agrees(method: str) -> None:
    scene = wavy(8)
    scene[20:60, 20:60] = 9  # clipped in every frame
    views = [scene.copy() for _ in range(3)]
    views[0][70:100, 80:120] = 0.02  # clipped in the reference, while the short frame shows something else
    views[1][70:100, 80:120] = views[2][70:100, 80:120] = 2.0
    hdr = headroom.merge(bracket_of(views, (-2, 0, 2)), method=method, align=False)
    differing = np.zeros(SIZE, bool)
    differing[70:100, 80:120] = True
    brightest = views[1].max(axis=-1)
    assert hdr.recovered is not None
    assert np.all(hdr.recovered[(brightest > 1.05 * 4) | differing] == 1)
    # An unclipped sample needs a neighbourhood in which it agrees.
    doubtful = (brightest > 0.85 * 4) | differing
    for down, right in itertools.product(range(-3, 4), repeat=2):
        doubtful |= np.roll(doubtful, (down, right), (0, 1))
    assert np.all(hdr.recovered[~doubtful] == 0)


# --- framing and brightness of the reference


@pytest.mark.parametrize("evs", BRACKETS)
def test_every_reference_gives_its_own_framing_and_brightness(evs: tuple[float, ...]) -> None:
    views = hand_held_views(9, len(evs))
    for reference, ev in enumerate(evs):
        frames = bracket_of(views, evs, reference=reference)
        hdr = headroom.merge(frames)
        assert reference_of(hdr) == reference
        check_honesty(hdr, frames.frames[reference], ev - evs[0])
        truth = views[reference] * 2.0**ev
        visible = truth < 0.9
        noise = np.sqrt(1e-6 + 1e-4 * truth)
        assert np.sqrt((((hdr.pixels - truth) / noise)[visible] ** 2).mean()) < 1
        assert np.abs(np.median((hdr.pixels / truth)[visible]) - 1) < 0.005


def test_a_merge_is_better_than_its_reference_alone() -> None:
    for views in (hand_held_views(10, 3), with_a_ball(10, 3)):
        frames = bracket_of(views, (-2, 0, 2))
        merged = decibels(headroom.merge(frames).pixels / 4, views[1] / 4)
        alone = decibels(light_of(frames.frames[1]) / 4, views[1] / 4)
        assert merged[0] > alone[0] + 6
        assert merged[1] > alone[1]


# --- brackets as people have them


@pytest.mark.parametrize("count", [2, 3, 4, 7, 9])
def test_any_number_of_frames(count: int) -> None:
    evs = np.linspace(-3, 3, count)
    frames = bracket_of(hand_held_views(11, count), evs)
    hdr = headroom.merge(frames)
    assert not hdr.provenance["rejected"]
    seen_from = reference_of(hdr)
    check_honesty(hdr, frames.frames[seen_from], evs[seen_from] - evs[0])


@pytest.mark.parametrize("count", [0, 1, 10])
def test_other_numbers_are_no_bracket(count: int) -> None:
    photo = taken(wavy(1), 0, 0)
    with pytest.raises(InputError, match=f"2 to 9 frames, not {count}"):
        headroom.merge(Bracket((photo,) * count, (0.0,) * count))


def test_a_method_to_expand_is_none_to_merge() -> None:
    with pytest.raises(UsageError, match=r"is a method to .*\. Choose one of debevec, "):
        headroom.merge(bracket_of(wavy(1), (0, 1)), method="linear")


@pytest.mark.parametrize("bits", [8, 16])
def test_frames_of_one_exposure_take_the_noise_out(bits: int) -> None:
    scene = np.minimum(wavy(12), 0.8)
    frames = bracket_of(scene, (0, 0, 0, 0), bits=bits)
    hdr = headroom.merge(frames)
    alone = np.sqrt(((light_of(frames.frames[0]) - scene) ** 2).mean())
    assert np.sqrt(((hdr.pixels - scene) ** 2).mean()) < 0.62 * alone


@pytest.mark.parametrize("bits", [8, 16])
def test_no_frame_of_a_wide_bracket_is_thrown_out(bits: int) -> None:
    scene = 0.18 * (look(waves(13), *SIZE) ** 2)  # 14.5 stops
    evs = tuple(range(-8, 9, 2))
    hdr = headroom.merge(bracket_of(scene, evs, bits=bits))
    assert not hdr.provenance["rejected"]
    stops = np.log2(hdr.pixels / scene) - evs[reference_of(hdr)]
    assert np.quantile(np.abs(stops), 0.99) < 0.1
    assert np.abs(stops).max() < 0.3


# --- tiles


def whole_or_tiled(frames: Bracket, tile_px: int) -> NDArray[np.float32]:
    """Merge in tiles of a given side."""
    loaded = load_network("lf_diff", load("lf_diff").default_preset, None, torch.device("cpu"))
    stack = gather(settle(frames), aligning=True, progress=lambda _: None).stack
    return fuse(stack, runner(loaded), loaded.preset.capabilities, tile_px, lambda _: None).pixels


def runner(loaded: object) -> RunMethod:
    """Pad, run and crop."""
    capabilities = loaded.preset.capabilities

    @torch.inference_mode()
    def run(inputs: MergeInput) -> Tensor:
        height, width = inputs.encoded.shape[-2:]
        padded = pad_merge_input(inputs, capabilities.size_multiple, capabilities.minimum_size_px)
        light = loaded.method.run(loaded.network, padded, torch.Generator(), lambda _: None)
        return light[:, :, :height, :width]

    return run


def test_tiles_give_what_the_whole_gives() -> None:
    light = [0.3 * look(over(waves(14), waves(15), (110 * i + 50, 100), 40), 200, 340) for i in range(3)]
    frames = bracket_of(light, (-2, 0, 2))
    whole, tiled = (whole_or_tiled(frames, tile_px) for tile_px in (512, 208))
    np.testing.assert_allclose(tiled / 4, whole / 4, atol=1e-3)  # full scale of the shortest frame is 4
