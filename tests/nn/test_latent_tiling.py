from __future__ import annotations

import pytest
import torch
from latent_tiny import TINY
from torch import Tensor, nn

from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.shared_statistics import normalised_as
from headroom.nn.latent.tiling import decode_tiled, encode_tiled


@pytest.fixture
def prior() -> LatentPrior:
    torch.manual_seed(0)
    return LatentPrior.of(TINY).eval()


def local(prior: LatentPrior) -> LatentPrior:
    """Take away what looks at the whole picture: attention, and the mean and deviation of normalisations."""
    for name, module in list(prior.autoencoder.named_modules()):
        if isinstance(module, nn.GroupNorm):
            prior.autoencoder.set_submodule(name, nn.Identity())
    for half in (prior.autoencoder.encoder, prior.autoencoder.decoder):
        half.mid_block.attentions[0] = None
    return prior


def pictures(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_one_tile_is_the_whole(prior: LatentPrior) -> None:
    given = pictures(64, 96)
    latents = encode_tiled(prior, given, tile_px=96, overlap_px=32)
    assert torch.equal(latents, prior.encode(given))
    assert torch.equal(decode_tiled(prior, latents, tile_px=96, overlap_px=32), prior.decode(latents))


@torch.no_grad()
@pytest.mark.parametrize("size", [(416, 200), (200, 648)])
def test_local_layers_see_no_tiles(prior: LatentPrior, size: tuple[int, int]) -> None:
    given = pictures(*size)
    latents = encode_tiled(local(prior), given, tile_px=384, overlap_px=320)
    torch.testing.assert_close(latents, prior.encode(given), atol=1e-4, rtol=1e-4)
    back = decode_tiled(prior, latents, tile_px=384, overlap_px=320)
    torch.testing.assert_close(back, prior.decode(latents), atol=1e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("tile_px", [48, 128])
def test_any_size_comes_out_as_it_went_in(prior: LatentPrior, tile_px: int) -> None:
    latents = encode_tiled(prior, pictures(136, 264), tile_px=tile_px, overlap_px=32)
    assert latents.shape == (1, 4, 17, 33)
    assert decode_tiled(prior, latents, tile_px=tile_px, overlap_px=32).shape == (1, 3, 136, 264)


@torch.no_grad()
def test_a_picture_narrower_than_a_patch_is_tiled(prior: LatentPrior) -> None:
    latents = encode_tiled(prior, pictures(104, 56), tile_px=96, overlap_px=32)
    assert decode_tiled(prior, latents, tile_px=96, overlap_px=32).shape == (1, 3, 104, 56)


@torch.no_grad()
def test_all_tiles_are_normalised_alike(prior: LatentPrior) -> None:
    for half in (prior.autoencoder.encoder, prior.autoencoder.decoder):
        half.mid_block.attentions[0] = None
    latents = torch.randn(1, 4, 25, 52, generator=torch.Generator().manual_seed(0))
    latents[..., :25] -= 2
    patchwork = torch.cat((latents[..., :16], latents[..., 18:34], latents[..., 36:]), dim=3)
    alike = normalised_as(patchwork, prior.decode)(latents)
    back = decode_tiled(prior, latents, tile_px=384, overlap_px=320)
    torch.testing.assert_close(back, alike, atol=1e-3, rtol=1e-3)
    alone = torch.cat([prior.decode(half) for half in latents.split(26, dim=3)], dim=3)
    assert (back - alone).abs().max() > 0.02
