"""Latent exposure fusion against its formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headroom.methods.lediff.fusion import LatentFusion


def exposures(count: int = 3) -> Tensor:
    return torch.randn(2, count, 4, 6, 5, generator=torch.Generator().manual_seed(count))


def trained(kernel: int = 1) -> LatentFusion:
    torch.manual_seed(1)
    fusion = LatentFusion(4, kernel)
    nn.init.normal_(fusion.weight_conv.weight)
    return fusion


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_it_starts_as_the_mean(count: int, kernel: int) -> None:
    given = exposures(count)
    torch.testing.assert_close(LatentFusion(4, kernel)(given), given.mean(1))


@pytest.mark.parametrize("kernel", [1, 3])
def test_order_and_bias_do_not_matter(kernel: int) -> None:
    fusion, given = trained(kernel), exposures()
    expected = fusion(given)
    torch.testing.assert_close(fusion(given[:, [2, 0, 1]]), expected)
    assert fusion.weight_conv.bias is not None
    nn.init.normal_(fusion.weight_conv.bias, std=5)
    torch.testing.assert_close(fusion(given), expected, atol=1e-5, rtol=1e-4)


def test_each_channel_has_one_effective_parameter() -> None:
    fusion, given = trained(), exposures()
    a = fusion.weight_conv.weight.detach().numpy().reshape(1, 1, 4, 1, 1)
    weights = np.exp(a * given.numpy())
    weights /= weights.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fusion(given).detach().numpy(), (weights * given.numpy()).sum(axis=1), atol=1e-5)


def test_names_and_sizes_are_the_released_ones() -> None:
    shapes = {name: tuple(value.shape) for name, value in LatentFusion().state_dict().items()}
    assert shapes == {"weight_conv.weight": (4, 1, 1, 1), "weight_conv.bias": (4,)}
