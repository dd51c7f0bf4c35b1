"""Latent-SwinIRc: the released layout, values of the released code, sizes, gradients."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from headroom.methods.sagiri.latent_swinir import (
    COMPACT,
    PAPER,
    LatentSwinIR,
    LatentSwinIRSettings,
    map_colours,
    reflect_to_multiple,
)
from headroom.methods.sagiri.stage1_losses import colour_reconstruction_losses

TINY = LatentSwinIRSettings(
    channels=12, groups=2, blocks=2, heads=2, window=2, upsampled_channels=(8, 6, 5, 4), released_buffers=False
)


def released_layout() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the names and shapes of the released checkpoint, from its description."""

    def both(name: str, *weight: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield f"{name}.weight", weight
        yield f"{name}.bias", weight[:1]

    yield from both("conv_first.1", 180, 3 * 8 * 8, 3, 3)
    yield from both("patch_embed.norm", 180)
    for i in range(8):
        for j in range(6):
            block = f"layers.{i}.residual_group.blocks.{j}"
            yield from both(f"{block}.norm1", 180)
            yield from both(f"{block}.norm2", 180)
            yield f"{block}.attn.relative_position_bias_table", (15 * 15, 6)
            yield f"{block}.attn.relative_position_index", (64, 64)
            yield from both(f"{block}.attn.qkv", 3 * 180, 180)
            yield from both(f"{block}.attn.proj", 180, 180)
            yield from both(f"{block}.mlp.fc1", 360, 180)
            yield from both(f"{block}.mlp.fc2", 180, 360)
            if j % 2:
                yield f"{block}.attn_mask", (64, 64, 64)
        yield from both(f"layers.{i}.conv", 180, 180, 3, 3)
    yield from both("norm", 180)
    yield from both("conv_after_body", 180, 180, 3, 3)
    yield from both("conv_before_upsample.0", 64, 180, 3, 3)
    for name in ("conv_up1", "conv_up2", "conv_up3", "conv_hr"):
        yield from both(name, 64, 64, 3, 3)
    yield from both("conv_last", 3, 64, 3, 3)


def waves(shape: tuple[int, ...], phase: float) -> Tensor:
    """Make numbers between -1 and 1 that are the same everywhere."""
    return torch.sin(torch.arange(math.prod(shape), dtype=torch.float64) * 0.7 + phase).float().view(shape)


def test_layout_is_that_of_the_released_checkpoint() -> None:
    with torch.device("meta"):
        network = LatentSwinIR(PAPER)
    state = network.state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == dict(released_layout())
    assert len(state) == 732
    assert sum(parameter.numel() for parameter in network.parameters()) == 15_792_587


def test_values_are_those_of_the_released_code() -> None:
    """Both networks were given these waves; the numbers are what the released one returned."""
    network = LatentSwinIR(PAPER).eval()
    with torch.no_grad():
        for phase, (name, parameter) in enumerate(sorted(network.named_parameters())):
            gain = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            parameter.copy_(gain + 0.1 * waves(tuple(parameter.shape), phase))
        found = network((waves((1, 3, 64, 128), 0) + 1) / 2)
    expected = torch.tensor([
        [[1.14936, 0.42912, 0.57859], [0.54940, 0.48876, 0.55626], [0.32755, 0.54506, 0.51309]],
        [[-4.71687, -2.99842, -1.96407], [0.50071, 0.26332, 0.54062], [0.52937, 0.49884, 0.48771]],
        [[-5.15159, -2.79973, -1.96714], [0.40226, 0.23751, 0.43330], [0.65133, 0.40482, 0.42623]],
    ])  # fmt: skip
    torch.testing.assert_close(found[0, :, 5::23, 7::47], expected, rtol=1e-3, atol=1e-4)


def test_nothing_but_parameters_is_stored_where_no_released_checkpoint_asks_for_it() -> None:
    network = LatentSwinIR(TINY)
    assert network.state_dict().keys() == dict(network.named_parameters()).keys()


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (3, 50), (17, 32)])
def test_any_size_is_kept(size: tuple[int, int]) -> None:
    photo = torch.rand(2, 3, *size)
    with torch.no_grad():
        exposed = LatentSwinIR(TINY).eval()(photo)
    assert exposed.shape == photo.shape
    assert exposed.isfinite().all()


@pytest.mark.parametrize(("height", "width"), [(16, 32), (1, 2), (3, 50), (17, 31)])
def test_padding_is_numpys_reflection(height: int, width: int) -> None:
    x = torch.rand(2, 3, height, width)
    below, right = (-height % 16, -width % 16)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (0, below), (0, right)), mode="reflect")
    assert np.array_equal(reflect_to_multiple(x, 16).numpy(), expected)


def test_colours_are_mapped_by_each_pixels_own_matrix() -> None:
    photo, numbers = torch.rand(2, 3, 4, 5), torch.randn(2, 12, 4, 5)
    found = map_colours(photo, numbers)
    colour = torch.cat((photo[1, :, 2, 3], torch.ones(1)))
    torch.testing.assert_close(found[1, :, 2, 3], colour[:3] + numbers[1, :, 2, 3].view(3, 4) @ colour)


def test_the_compact_network_is_small_and_starts_by_changing_nothing() -> None:
    network = LatentSwinIR(COMPACT).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) < 3_000_000
    photo = torch.rand(1, 3, 50, 70)
    with torch.no_grad():
        torch.testing.assert_close(network(photo), photo)


@pytest.mark.parametrize("colour_map", [False, True])
def test_every_parameter_learns(colour_map: bool) -> None:
    torch.manual_seed(0)
    network = LatentSwinIR(replace(TINY, colour_map=colour_map, global_context=colour_map)).train()
    torch.nn.init.normal_(network.conv_last.weight)
    network(torch.rand(4, 3, 32, 32)).square().mean().backward()
    still = [name for name, parameter in network.named_parameters() if not (parameter.grad != 0).any()]
    assert not still


def test_exposure_is_learnt() -> None:
    """Photos that are too dark or too bright come nearer to the truth, though nothing says which they are."""
    torch.manual_seed(0)
    network = LatentSwinIR(replace(TINY, colour_map=True, global_context=True, drop_path=0.0))
    target = 0.3 + 0.4 * torch.rand(8, 3, 4, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    photos = target * torch.tensor([0.5, 1.4]).repeat(4).view(8, 1, 1, 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        colour_reconstruction_losses(network(photos), target)["total"].backward()
        optimiser.step()
    with torch.no_grad():
        assert (network(photos) - target).square().mean() < 0.5 * (photos - target).square().mean()
