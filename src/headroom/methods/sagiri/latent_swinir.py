"""Latent-SwinIRc, Sagiri's first stage: SwinIR at an eighth of the size, from a photo to a well exposed one.

Source: Sagiri, section 3.1, and its released code, whose key names these are.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.sagiri.swin_blocks import ResidualSwinGroup, SwinBlock, channels_first, channels_last
from headroom.methods.sagiri.window_attention import shift_mask

CELL_PX = 8
"""Side of the blocks of pixels that become the channels of one cell."""

_MEAN_RGB = (0.4488, 0.4371, 0.4040)  # of DIV2K, as in SwinIR's released code
_RELEASED_CELLS = 64  # side of the map whose shift masks released checkpoints hold
_SHALLOW_SLOPE, _UPSAMPLING_SLOPE = 0.01, 0.2


@dataclass(frozen=True, slots=True)
class LatentSwinIRSettings:
    """Numbers of one network; the defaults are the paper's.

    Attributes:
        channels: Width of the features, a multiple of `heads`.
        groups: Residual groups of Swin blocks.
        blocks: Swin blocks of each group; every second one is shifted.
        heads: Heads of the attention.
        window: Side of a window in cells of 8 x 8 pixels.
        expansion: Hidden over outer channels of the blocks' two-layer networks.
        upsampled_channels: Width before and after each of the three doublings.
        colour_map: Whether the network gives each pixel a map of its colour rather than a colour; the photo then joins
            the features at full resolution, so that the map can follow its edges.
        global_context: Whether every group of blocks sees the mean of the features over the whole photo, since how
            bright a place should be depends on all others.
        drop_path: Share of training examples that skip a branch of the last block; it grows linearly from 0.
        released_buffers: Whether the state dict holds the constants that released checkpoints hold.
    """

    channels: int = 180
    groups: int = 8
    blocks: int = 6
    heads: int = 6
    window: int = 8
    expansion: float = 2.0
    upsampled_channels: tuple[int, int, int, int] = (64, 64, 64, 64)
    colour_map: bool = False
    global_context: bool = False
    drop_path: float = 0.1
    released_buffers: bool = True


PAPER = LatentSwinIRSettings()
"""The released network."""

COMPACT = LatentSwinIRSettings(
    channels=128,
    groups=3,
    blocks=4,
    heads=4,
    upsampled_channels=(32, 24, 16, 16),
    colour_map=True,
    global_context=True,
    drop_path=0.0,
    released_buffers=False,
)
"""Made for CPUs: thin at the fine levels, whose detail is the photo's own, and a quarter as many blocks."""


class LatentSwinIR(nn.Module):
    """Map a photo to a well exposed one of the same size."""

    mean: Tensor

    def __init__(self, settings: LatentSwinIRSettings) -> None:
        super().__init__()
        channels, (first, second, third, full) = settings.channels, settings.upsampled_channels
        self.window = settings.window
        self.colour_map, self.global_context = settings.colour_map, settings.global_context
        self.register_buffer("mean", torch.tensor(_MEAN_RGB).view(3, 1, 1), persistent=False)
        self.conv_first = nn.Sequential(nn.PixelUnshuffle(CELL_PX), _conv(3 * CELL_PX**2, channels))
        self.patch_embed = nn.Sequential(OrderedDict(norm=nn.LayerNorm(channels)))
        self.layers = nn.ModuleList(_groups(settings))
        if settings.global_context:
            self.contexts = nn.ModuleList(nn.Linear(channels, channels) for _ in self.layers)
        self.norm = nn.LayerNorm(channels)
        self.conv_after_body = _conv(channels, channels)
        self.conv_before_upsample = nn.Sequential(_conv(channels, first), nn.LeakyReLU(_SHALLOW_SLOPE, inplace=True))
        self.conv_up1 = _conv(first, second)
        self.conv_up2 = _conv(second, third)
        self.conv_up3 = _conv(third, full)
        self.conv_hr = _conv(full + 3 * settings.colour_map, full)
        self.conv_last = _conv(full, 12 if settings.colour_map else 3)
        self.apply(_initialise)
        if settings.colour_map:  # A new network leaves photos as they are.
            nn.init.zeros_(self.conv_last.weight)
            nn.init.zeros_(cast(Tensor, self.conv_last.bias))
        if settings.released_buffers:
            self.apply(_hold_released_buffers)

    def forward(self, photo: Tensor) -> Tensor:
        """Map N x 3 x H x W code values in [0, 1] to the same of a well exposed photo, not clipped; any size."""
        _, _, h, w = photo.shape
        centred = reflect_to_multiple(photo, CELL_PX * self.window) - self.mean
        shallow = self.conv_first(centred)  # N x C x H/8 x W/8
        shallow = shallow.contiguous(memory_format=torch.channels_last)  # in which a CPU convolves faster
        x = shallow + self.conv_after_body(self.deep_features(shallow))
        x = self.conv_before_upsample(x)
        x = _activate(self.conv_up1(_double(x)))
        x = _activate(self.conv_up2(_double(x)))
        x = _activate(self.conv_up3(_double(x)))  # N x C_full x H x W
        if self.colour_map:
            x = torch.cat((x, centred), 1)
        x = self.conv_last(_activate(self.conv_hr(x)))
        exposed = map_colours(centred, x) if self.colour_map else x
        return cast(Tensor, exposed + self.mean)[..., :h, :w]

    def deep_features(self, shallow: Tensor) -> Tensor:
        """Map N x C x H/8 x W/8 to the same shape, by attention."""
        _, _, h, w = shallow.shape
        mask = shift_mask(h, w, self.window).to(shallow)
        x = self.patch_embed(channels_last(shallow))
        for i, group in enumerate(self.layers):
            if self.global_context:
                x = x + self.contexts[i](x.mean((1, 2), keepdim=True))
            x = group(x, mask)
        return channels_first(self.norm(x))


def map_colours(photo: Tensor, numbers: Tensor) -> Tensor:
    """Add to each pixel's colour an affine function of that colour, as HDRNet does (Gharbi et al. 2017).

    So the photo's own detail goes through, of which a small network can carry little.

    Args:
        photo: N x 3 x H x W.
        numbers: N x 12 x H x W: of each pixel, three rows of a 3 x 4 matrix.
    """
    n, _, h, w = photo.shape
    matrix = numbers.reshape(n, 3, 4, h, w)
    return photo + (matrix[:, :, :3] * photo[:, None]).sum(2) + matrix[:, :, 3]


def reflect_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Continue N x C x H x W below and to the right to multiples of `multiple`, mirrored as often as it takes."""
    for dimension in (2, 3):
        size = x.shape[dimension]
        index = torch.arange(-(-size // multiple) * multiple, device=x.device)
        period = max(2 * (size - 1), 1)  # there and back, without the first and last twice
        index = index % period
        x = x.index_select(dimension, torch.minimum(index, period - index)) if len(index) > size else x
    return x


def _groups(settings: LatentSwinIRSettings) -> list[ResidualSwinGroup]:
    count = settings.groups * settings.blocks
    blocks = [
        SwinBlock(
            settings.channels,
            settings.heads,
            settings.window,
            settings.expansion,
            shifted=i % settings.blocks % 2 == 1,
            drop_path=settings.drop_path * i / max(count - 1, 1),
        )
        for i in range(count)
    ]
    of_groups = (blocks[i : i + settings.blocks] for i in range(0, count, settings.blocks))
    return [ResidualSwinGroup(settings.channels, of_group) for of_group in of_groups]


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


def _hold_released_buffers(module: nn.Module) -> None:
    # Released checkpoints hold these; nothing reads them, since both are known and the mask depends on the size.
    if isinstance(module, SwinBlock):
        module.attn.register_buffer("relative_position_index", module.attn.offset_index.clone())
        if module.shift:
            module.register_buffer("attn_mask", shift_mask(_RELEASED_CELLS, _RELEASED_CELLS, module.side))


def _conv(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


def _activate(x: Tensor) -> Tensor:
    return F.leaky_relu(x, _UPSAMPLING_SLOPE, inplace=True)


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="nearest")
