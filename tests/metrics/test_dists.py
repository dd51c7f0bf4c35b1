"""DISTS: its parts by the formulas of Ding et al. 2020, and the whole against another implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from headroom.errors import WeightsError
from headroom.nn.dists import DISTS, load_dists
from headroom.nn.perceptual import VGG16Features
from headroom.nn.torchvision_beside_cpu import import_torchvision
from headroom.weights.writer import pack


@pytest.fixture(scope="module")
def network() -> DISTS:
    torch.manual_seed(0)
    network = DISTS()
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight)
    nn.init.uniform_(network.alpha)
    nn.init.uniform_(network.beta)
    total = network.alpha.sum() + network.beta.sum()
    network.alpha.data /= total
    network.beta.data /= total
    return network


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, 3, 24, 32, generator=generator), torch.rand(2, 3, 24, 32, generator=generator)


def test_pooling_is_the_root_of_blurred_squares(network: DISTS) -> None:
    x = np.random.default_rng(0).normal(size=(6, 8))
    padded = np.pad(x**2, 1)
    window = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = [
        [np.sqrt((window * padded[row : row + 3, column : column + 3]).sum()) for column in range(0, 8, 2)]
        for row in range(0, 6, 2)
    ]
    found = network._pool(torch.from_numpy(x)[None, None].float())
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=1e-5)


def only_colours(network: DISTS, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let nothing count but the picture itself."""
    weights = {"alpha": torch.zeros_like(network.alpha), "beta": torch.zeros_like(network.beta)}
    weights[what][:, :3] = 1
    for name, value in weights.items():
        monkeypatch.setitem(network._parameters, name, nn.Parameter(value, requires_grad=False))


def test_flat_pictures_differ_in_their_means_alone(network: DISTS, monkeypatch: pytest.MonkeyPatch) -> None:
    only_colours(network, monkeypatch, "alpha")
    one, other = torch.full((1, 3, 16, 16), 0.2), torch.full((1, 3, 16, 16), 0.6)
    expected = 1 - (2 * 0.2 * 0.6 + 1e-6) / (0.2**2 + 0.6**2 + 1e-6)
    assert float(network(one, other)) == pytest.approx(expected, abs=1e-5)


def test_the_structure_of_a_negative_is_opposite(network: DISTS, monkeypatch: pytest.MonkeyPatch) -> None:
    only_colours(network, monkeypatch, "beta")
    picture = pictures()[0]
    torch.testing.assert_close(network(picture, 1 - picture), torch.full((2,), 2.0), atol=1e-3, rtol=0)


def test_weights_are_read_by_the_names_of_their_authors(network: DISTS, tmp_path) -> None:
    backbone, weights = tmp_path / "vgg16.safetensors", tmp_path / "dists.safetensors"
    pack({f"features.{key}": value for key, value in network.features.state_dict().items()}, backbone, {})
    pack({"alpha": network.alpha, "beta": network.beta}, weights, {})
    torch.testing.assert_close(load_dists(backbone, weights)(*pictures()), network(*pictures()), atol=1e-3, rtol=0)
    pack({"alpha": network.alpha[:, :5], "beta": network.beta}, weights, {})
    with pytest.raises(WeightsError, match=r"dists\.safetensors.*alpha"):
        load_dists(backbone, weights)


def test_piq_agrees(network: DISTS, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        import_torchvision()
    except ImportError:
        pytest.skip("piq needs torchvision, which is not installed")
    perceptual = pytest.importorskip("piq.perceptual")
    from torchvision.models import vgg16

    own = VGG16Features()
    own.load_state_dict(network.features.state_dict())
    backbone = vgg16(weights=None)
    backbone.features[:-1].load_state_dict(own.state_dict())
    monkeypatch.setattr(perceptual, "vgg16", lambda **_: backbone)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", lambda *_, **__: dict(network.named_parameters()))
    theirs = perceptual.DISTS(reduction="none")
    torch.testing.assert_close(network(*pictures()), theirs(*pictures()).flatten(), atol=1e-4, rtol=0)
