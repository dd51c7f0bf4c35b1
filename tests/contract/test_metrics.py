"""What every metric keeps; a new one is tested without a line here.

Networks have random weights: that equal pictures are equal and more noise is worse does not hang on training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from headroom.errors import UsageError
from headroom.image import FloatImage
from headroom.metrics import registry
from headroom.metrics.contract import Domain, Metric, Pair
from headroom.metrics.networks.inception import InceptionV3
from headroom.metrics.perceptual import DISTS_WEIGHTS, LPIPS_HEADS, VGG16
from headroom.nn.dists import DISTS
from headroom.nn.perceptual import LPIPS_CHANNELS, VGG16Features
from headroom.weights.writer import pack

IMAGES = 3
SHAPE = (64, 80)
SCALE = {"light": 4.0, "full-scale": 1.0, "nits": 1000.0, "codes": 1.0, "srgb": 1.0}
HIGHEST = {"light": np.inf, "full-scale": 1.0, "nits": np.inf, "codes": 1.0, "srgb": 1.0}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of random networks, under the names that metrics ask for."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    vgg16 = VGG16Features()
    for layer in vgg16:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    pack(vgg16.state_dict(), folder / VGG16, {})
    heads = {f"lin{i}.model.1.weight": torch.rand(1, n, 1, 1) for i, n in enumerate(LPIPS_CHANNELS)}
    pack(heads, folder / LPIPS_HEADS, {})
    dists = DISTS()
    pack({"alpha": dists.alpha, "beta": dists.beta}, folder / DISTS_WEIGHTS, {})
    pack(InceptionV3().state_dict(), folder / "inception_fid.safetensors", {})
    return folder


def scene(seed: int, domain: Domain) -> FloatImage:
    """Make surfaces, shading and a lamp, from black to far above white, in units of a domain."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]] / SHAPE[0]
    blocks = np.exp2(generator.uniform(-3, 0, (8, 10, 3))).repeat(8, axis=0).repeat(8, axis=1)
    lamp = np.exp(-((x - 0.3 - 0.1 * seed) ** 2 + (y - 0.4) ** 2) / 0.08)[..., None]
    light = 0.3 * blocks * (0.3 + x[..., None]) + 4 * lamp
    light[-8:] *= 0.001  # a shadow where codes are crushed
    if domain in {"codes", "srgb"}:
        light = light ** (1 / 2.2)
    return (light / light.max() * SCALE[domain]).astype(np.float32)


def noisy(picture: FloatImage, stops: float, domain: Domain) -> FloatImage:
    noise = np.random.default_rng(9).normal(0, stops, picture.shape)
    return np.minimum(picture * np.exp2(noise), HIGHEST[domain]).astype(np.float32)


def pair(metric: Metric, prediction: FloatImage, truth: FloatImage) -> Pair:
    codes = np.clip(truth, 0, 1) ** (1 / 2.2) if metric.takes == "codes" else None
    disc = np.hypot(*(np.indices(SHAPE) - 30)) < 25
    return Pair(
        metric.domain,
        prediction,
        truth,
        codes,
        mask=disc if metric.takes in {"mask", "base"} else None,
        base=truth if metric.takes == "base" else None,
        unseen=(lambda: disc) if metric.takes == "frames" else None,
    )


def value(metric: Metric, models: Path, pairs: Sequence[Pair]) -> float:
    measure = metric.open(models)
    found = [measure(each) for each in (pairs if metric.combine else pairs[:1])]
    return metric.combine(found) if metric.combine else float(found[0])


def cases() -> list[object]:
    return [
        pytest.param(metric, id=metric.id, marks=[pytest.mark.slow] if "inception" in "".join(metric.models) else [])
        for metric in registry.metrics().values()
    ]


@pytest.fixture(params=cases())
def metric(request: pytest.FixtureRequest, models: Path) -> Metric:
    found: Metric = request.param
    if todo := registry.missing(found, models):
        pytest.skip(f"{found.id}: {todo}")
    return found


@pytest.fixture
def truths(metric: Metric) -> list[FloatImage]:
    return [scene(seed, metric.domain) for seed in range(IMAGES)]


@pytest.mark.parametrize("metric", registry.metrics().values(), ids=lambda metric: metric.id)
def test_its_record_is_complete(metric: Metric) -> None:
    assert metric.id == metric.id.lower()
    assert metric.name and metric.source
    assert metric.limits[0] < metric.limits[1]
    assert not (metric.usual and (metric.packages or metric.models))


def test_pictures_of_other_units_are_refused(metric: Metric) -> None:
    for domain in set(get_args(Domain)) - {metric.domain}:
        picture = scene(0, domain)
        with pytest.raises(UsageError, match=rf"{metric.id}: is defined for {metric.domain}"):
            metric.check(Pair(domain, picture, picture))


def test_equal_pictures_are_the_best(metric: Metric, truths: list[FloatImage], models: Path) -> None:
    found = value(metric, models, [pair(metric, truth, truth) for truth in truths])
    best = metric.limits[1] if metric.direction == "higher" else metric.limits[0]
    if not metric.compares:
        assert metric.limits[0] <= found <= metric.limits[1]
    elif math.isinf(best):
        assert found > 80  # decibels; fitted tones are a rounding away from the truth
    else:
        assert found == pytest.approx(best, abs=1e-4)


def test_it_is_symmetric_where_it_says_so(metric: Metric, truths: list[FloatImage], models: Path) -> None:
    if not metric.symmetric:
        return
    others = [noisy(truth, 0.2, metric.domain) for truth in truths]
    one = value(metric, models, [pair(metric, a, b) for a, b in zip(others, truths, strict=True)])
    other = value(metric, models, [pair(metric, b, a) for a, b in zip(others, truths, strict=True)])
    assert one == pytest.approx(other, rel=1e-4)


def test_more_noise_is_worse(metric: Metric, truths: list[FloatImage], models: Path) -> None:
    if not metric.compares:  # this noise may please it
        return
    sign = 1 if metric.direction == "lower" else -1
    found = [
        sign * value(metric, models, [pair(metric, noisy(truth, stops, metric.domain), truth) for truth in truths])
        for stops in (0.1, 0.4, 1.2)
    ]
    assert found[0] < found[1] < found[2]
    assert all(metric.limits[0] <= sign * each <= metric.limits[1] for each in found)


def test_it_repeats_itself_and_leaves_pictures_alone(metric: Metric, truths: list[FloatImage], models: Path) -> None:
    others = [noisy(truth, 0.3, metric.domain) for truth in truths]
    copies = [(other.copy(), truth.copy()) for other, truth in zip(others, truths, strict=True)]
    pairs = [pair(metric, *both) for both in zip(others, truths, strict=True)]
    again = [pair(metric, *both) for both in copies]
    assert value(metric, models, pairs) == value(metric, models, again)
    for other, truth, (other_copy, truth_copy) in zip(others, truths, copies, strict=True):
        np.testing.assert_array_equal(other, other_copy)
        np.testing.assert_array_equal(truth, truth_copy)
