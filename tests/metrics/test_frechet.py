"""The Fréchet distance in closed form, and the network it looks through against its public twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from headroom.errors import WeightsError
from headroom.metrics.frechet import METRICS, WEIGHTS, frechet_distance
from headroom.metrics.networks.inception import InceptionV3, load_inception
from headroom.nn.torchvision_beside_cpu import import_torchvision
from headroom.weights.writer import pack

GENERATOR = np.random.default_rng(0)


def test_in_one_dimension() -> None:
    one, other = GENERATOR.normal(1, 2, (50, 1)), GENERATOR.normal(3, 5, (80, 1))
    expected = (one.mean() - other.mean()) ** 2 + (one.std(ddof=1) - other.std(ddof=1)) ** 2
    assert frechet_distance(one, other) == pytest.approx(expected)


def test_in_many_dimensions() -> None:
    one, other = GENERATOR.normal(size=(60, 12)), GENERATOR.normal(0.3, 1.4, size=(50, 12)) @ GENERATOR.random((12, 12))
    eigenvalues = np.linalg.eigvals(np.cov(one.T) @ np.cov(other.T)).real
    trace = np.trace(np.cov(one.T)) + np.trace(np.cov(other.T)) - 2 * np.sqrt(np.maximum(eigenvalues, 0)).sum()
    expected = np.square(one.mean(axis=0) - other.mean(axis=0)).sum() + trace
    assert frechet_distance(one, other) == pytest.approx(expected)


def test_fewer_images_than_features() -> None:
    one = GENERATOR.normal(size=(4, 200))
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(one, one[::-1] + 1) == pytest.approx(200)
    assert math.isnan(frechet_distance(one[:1], one[:1]))


def test_weights_of_another_network_are_named(tmp_path) -> None:
    metric = METRICS[0]
    with pytest.raises(WeightsError, match=WEIGHTS):
        metric.open(tmp_path)
    pack({"conv.weight": torch.zeros(1)}, tmp_path / WEIGHTS, {})
    with pytest.raises(WeightsError, match="another network"):
        metric.open(tmp_path)


def test_it_is_as_large_as_torchvision_says_without_its_classifiers() -> None:
    with torch.device("meta"):
        network = InceptionV3()
    assert sum(parameter.numel() for parameter in network.parameters()) == 23_834_568 - 2_049_000


@pytest.mark.slow
def test_its_features_are_those_of_pytorch_fid(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    try:
        import_torchvision()
    except ImportError:
        pytest.skip("torchvision is not installed")
    from torchvision.models import inception_v3

    theirs = pytest.importorskip("pytorch_fid.inception")
    torch.manual_seed(0)
    model = inception_v3(num_classes=1008, aux_logits=False, init_weights=False)
    model.Mixed_5b, model.Mixed_5c = theirs.FIDInceptionA(192, 32), theirs.FIDInceptionA(256, 64)
    model.Mixed_5d = theirs.FIDInceptionA(288, 64)
    for name, channels in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        setattr(model, f"Mixed_{name}", theirs.FIDInceptionC(768, channels))
    model.Mixed_7b, model.Mixed_7c = theirs.FIDInceptionE_1(1280), theirs.FIDInceptionE_2(2048)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    pack(model.state_dict(), tmp_path / WEIGHTS, {})
    model.load_state_dict({key: value.half().float() for key, value in model.state_dict().items()})
    monkeypatch.setattr(theirs, "fid_inception_v3", lambda: model)
    reference = theirs.InceptionV3([3]).eval()
    pictures = torch.rand(2, 3, 120, 160)
    with torch.inference_mode():
        expected = reference(pictures)[0].flatten(1)
        torch.testing.assert_close(load_inception(tmp_path / WEIGHTS)(pictures), expected)
