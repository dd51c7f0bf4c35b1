"""The distance of patches: which patches, in which features, and that it tells what looks like a photograph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from made_codes import texture
from torch import nn

from headroom.metrics import registry
from headroom.metrics.brisque import brisque_features
from headroom.metrics.contract import Features, Metric, Pair
from headroom.metrics.frechet import frechet_distance
from headroom.metrics.patch_frechet import PATCH_PX, STEP_PX, unknown_patches
from headroom.restore.network import load_network

SHAPE = (160, 224)
UNKNOWN = np.zeros(SHAPE, np.bool_)
UNKNOWN[30:130, 50:200] = True
TRUTHS = [(texture(seed)[: SHAPE[0], : SHAPE[1]] / 255).astype(np.float32) for seed in (1, 2)]
ENCODER, STATISTICS, CLASSIFIER = registry.find(
    [f"patch_frechet_{kind}" for kind in ("encoder", "statistics", "imagenet")]
)


@pytest.fixture(scope="module")
def encoder() -> Features:
    return ENCODER.open(Path())


@pytest.fixture(params=[ENCODER, STATISTICS, CLASSIFIER], ids=["encoder", "statistics", "imagenet"])
def metric(request: pytest.FixtureRequest) -> Metric:
    found: Metric = request.param
    return found


def pair(prediction: np.ndarray, truth: np.ndarray, mask: np.ndarray = UNKNOWN) -> Pair:
    inside = np.where(mask[..., None], prediction, truth).clip(0, 1).astype(np.float32)
    return Pair("srgb", inside, truth, mask=mask)


def distance(metric: Metric, change: Callable[[np.ndarray], np.ndarray]) -> float:
    features = metric.open(Path())
    return metric.combine([features(pair(change(truth), truth)) for truth in TRUTHS])


def blur(sigma: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda truth: cv2.GaussianBlur(truth, (0, 0), sigma)


def noise(codes: float) -> Callable[[np.ndarray], np.ndarray]:
    drawn = np.random.default_rng(0).normal(size=TRUTHS[0].shape)
    return lambda truth: truth + codes / 255 * drawn


def mirror(truth: np.ndarray) -> np.ndarray:
    """Give a guess that is wrong in every pixel, but as sharp and as colourful as the truth."""
    return truth[:, ::-1]


def flat(truth: np.ndarray) -> np.ndarray:
    return np.full_like(truth, truth.mean())


def test_patches_are_those_that_hold_a_quarter_of_the_unknown() -> None:
    expected = [
        (slice(top, top + PATCH_PX), slice(left, left + PATCH_PX))
        for top in range(0, SHAPE[0] - PATCH_PX + 1, STEP_PX)
        for left in range(0, SHAPE[1] - PATCH_PX + 1, STEP_PX)
        if sum(UNKNOWN[top + y, left + x] for y in range(PATCH_PX) for x in range(PATCH_PX)) >= PATCH_PX**2 / 4
    ]
    assert unknown_patches(UNKNOWN) == expected
    assert 4 < len(expected) < 24
    assert unknown_patches(np.ones((63, 200), np.bool_)) == []


def test_features_are_what_the_whole_network_computes_on_its_way(encoder: Features) -> None:
    """Of each patch: what a forward pass hands from the third level of its encoder to the decoder."""
    network = load_network("hybrid_ae", "compact", None, torch.device("cpu")).network
    seen: list[torch.Tensor] = []
    handle = network.encoder[2].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    found = encoder(pair(TRUTHS[1], TRUTHS[0]))[1]
    seen.clear()
    try:
        for patch in unknown_patches(UNKNOWN):
            codes = torch.from_numpy(TRUTHS[0][patch].transpose(2, 0, 1)[None].copy())
            with torch.inference_mode():
                network(codes, torch.zeros_like(codes))
    finally:
        handle.remove()
    expected = np.stack([nn.functional.adaptive_avg_pool2d(each, 1).flatten().numpy() for each in seen])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_statistics_are_those_of_brisque_in_units_of_their_spread() -> None:
    features = STATISTICS.open(Path())
    gathered = [features(pair(noise(9)(truth), truth)) for truth in TRUTHS]
    patches = [TRUTHS[1][patch] for patch in unknown_patches(UNKNOWN)]
    np.testing.assert_array_equal(gathered[1][1], [brisque_features(patch) for patch in patches])
    predicted, true = (np.concatenate([each[side] for each in gathered]) for side in range(2))
    expected = frechet_distance(predicted / true.std(axis=0), true / true.std(axis=0))
    assert STATISTICS.combine(gathered) == pytest.approx(expected)


def test_it_is_the_frechet_distance_of_all_patches_of_the_set(encoder: Features) -> None:
    gathered = [encoder(pair(TRUTHS[1 - i], TRUTHS[i])) for i in range(2)]
    expected = frechet_distance(*(np.concatenate([each[side] for each in gathered]) for side in range(2)))
    assert ENCODER.combine(gathered) == pytest.approx(expected)


def test_it_grows_with_blur_and_with_noise(metric: Metric) -> None:
    blurred = [distance(metric, blur(sigma)) for sigma in (0.7, 1.5, 4)]
    noisy = [distance(metric, noise(codes)) for codes in (8, 24, 72)]
    assert 0 < blurred[0] < blurred[1] < blurred[2]
    assert 0 < noisy[0] < noisy[1] < noisy[2]


def test_another_photograph_is_nearer_than_nothing(metric: Metric) -> None:
    assert distance(metric, mirror) < distance(metric, flat) / 4


def test_to_the_statistics_another_photograph_is_nearer_than_the_same_one_blurred() -> None:
    assert distance(STATISTICS, mirror) < distance(STATISTICS, blur(1.5)) / 2


def test_a_photo_that_shows_everything_counts_for_nothing(metric: Metric) -> None:
    features = metric.open(Path())
    nothing = features(pair(TRUTHS[0], TRUTHS[0], np.zeros(SHAPE, np.bool_)))
    some = features(pair(TRUTHS[1], TRUTHS[0]))
    assert nothing.shape[:2] == (2, 0)
    assert metric.combine([nothing, some]) == metric.combine([some])
    assert np.isnan(metric.combine([nothing]))


def lit(truth: np.ndarray) -> np.ndarray:
    """Make light whose codes clip in the unknown region alone."""
    return np.where(UNKNOWN[..., None], 1 + 7 * truth, 0.5 * truth).astype(np.float32)


@pytest.mark.parametrize("name", ["encoder_r", "encoder_d", "statistics_r", "statistics_d", "imagenet_r", "imagenet_d"])
def test_of_an_expanded_photo_patches_are_those_that_clip(name: str) -> None:
    metric = registry.find([f"patch_frechet_{name}"])[0]
    features = metric.open(Path())

    def distance(change: Callable[[np.ndarray], np.ndarray]) -> float:
        pairs = [Pair("light", change(lit(truth)), lit(truth), codes=lit(truth).clip(0, 1)) for truth in TRUTHS]
        return metric.combine([features(each) for each in pairs])

    inside = np.zeros((*SHAPE, 1), np.bool_)
    for patch in unknown_patches(UNKNOWN):
        inside[patch] = True
    cut_off = distance(lambda light: np.minimum(light, 1))
    assert distance(lambda light: np.where(inside, light, light / 2)) == pytest.approx(0, abs=1e-6 * cut_off)
    assert distance(lambda light: np.where(inside, blur(2)(light), light)) > 1e-3 * cut_off
    assert cut_off > 0
