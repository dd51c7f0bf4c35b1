from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from headroom.nn.latent.shared_statistics import normalised_as


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8), nn.SiLU(), nn.Conv2d(8, 8, 1), nn.GroupNorm(2, 8)
    )
    for layer in (layers[1], layers[4]):
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
    return layers


def picture() -> Tensor:
    """Two pictures whose halves differ much."""
    noise = torch.randn(2, 3, 16, 24, generator=torch.Generator().manual_seed(0))
    return torch.cat((noise[..., :12], 5 + 3 * noise[..., 12:]), dim=3)


@torch.no_grad()
def test_what_is_normalised_as_itself_stays(network: nn.Module) -> None:
    torch.testing.assert_close(normalised_as(picture(), network)(picture()), network(picture()))


@torch.no_grad()
def test_a_part_is_what_it_is_in_the_whole(network: nn.Module) -> None:
    part, whole = picture()[..., :12], network(picture())[..., :11]  # the last column lies at the cut
    alike = normalised_as(picture(), network)
    assert (network(part)[..., :11] - whole).abs().max() > 0.5
    for _ in range(2):
        torch.testing.assert_close(alike(part)[..., :11], whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(network(picture())[..., :11], whole)  # the network itself is as it was


@torch.no_grad()
def test_tokens_of_an_attention_are_normalised_too() -> None:
    norm = nn.GroupNorm(2, 4)
    tokens = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(normalised_as(tokens, norm)(tokens[..., :3]), norm(tokens)[..., :3])
