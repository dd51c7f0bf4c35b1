from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import EnhanceInput, Sampling
from headroom.methods.sagiri.colour_fix import ColourFix
from headroom.methods.sagiri.refine import refine
from headroom.methods.sagiri.refiner import RefineOptions, Refiner, RefinerSettings, build_refiner
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.restore.network import load_network

SAMPLING = Sampling(steps=3)
SMALL_TILES = RefineOptions(tile_px=128, overlap_px=32)


@pytest.fixture(scope="module")
def network(tiny_prior: LatentPriorSettings) -> Refiner:
    torch.manual_seed(0)
    refiner = build_refiner(RefinerSettings(prior=tiny_prior)).eval()
    for parameter in refiner.control.parameters():
        nn.init.normal_(parameter, std=0.05)
    return refiner


def photo(height: int = 90, width: int = 150) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))


def blown(height: int = 90, width: int = 150) -> Tensor:
    unknown = torch.zeros(1, 1, height, width)
    unknown[..., 5:20, 8:30] = 1
    return unknown


def refined(
    network: Refiner,
    encoded: Tensor,
    unknown: Tensor,
    options: RefineOptions = SMALL_TILES,
    sampling: Sampling = SAMPLING,
) -> Tensor:
    network.options = options
    generator = torch.Generator().manual_seed(0)
    return refine(network, EnhanceInput(encoded, unknown, sampling), generator, lambda _share: None)


@pytest.mark.parametrize("colour_fix", ["wavelet", "adain", "none"])
@pytest.mark.parametrize("band_px", [0, 16])
def test_known_pixels_stay_as_they_are(network: Refiner, colour_fix: ColourFix, band_px: int) -> None:
    options = replace(SMALL_TILES, colour_fix=colour_fix, band_px=band_px)
    result = refined(network, photo(), blown(), options)
    changed = (result != photo()).any(1)[0]
    near = torch.zeros_like(changed)
    near[max(0, 5 - band_px) : 20 + band_px, max(0, 8 - band_px) : 30 + band_px] = True
    assert not changed[~near].any()
    assert changed[5:20, 8:30].all()


def test_nothing_unknown_is_the_photo_itself(network: Refiner) -> None:
    assert torch.equal(refined(network, photo(), torch.zeros(1, 1, 90, 150)), photo())


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 200), (64, 64), (33, 97)])
def test_any_size_and_any_aspect_ratio(network: Refiner, height: int, width: int) -> None:
    result = refined(network, photo(height, width), torch.ones(1, 1, height, width))
    assert result.shape == (1, 3, height, width)
    assert torch.isfinite(result).all()


def test_a_tile_that_holds_everything_is_no_tiling(network: Refiner) -> None:
    large, larger = (replace(SMALL_TILES, tile_px=px) for px in (160, 4096))
    assert torch.equal(*(refined(network, photo(), blown(), options) for options in (large, larger)))


def test_far_tiles_are_not_looked_at(network: Refiner) -> None:
    sizes: list[int] = []
    hook = network.denoiser.conv_in.register_forward_hook(
        lambda _module, given, _out: sizes.append(given[0].shape[2] * given[0].shape[3])
    )
    refined(network, photo(448, 448), blown(448, 448))
    hook.remove()
    cells = sum(sizes) / SAMPLING.steps
    assert cells < 0.1 * (448 / 8) ** 2


def test_the_same_generator_gives_the_same_picture(network: Refiner) -> None:
    assert torch.equal(refined(network, photo(), blown()), refined(network, photo(), blown()))


def test_strength_zero_leaves_the_prior_to_itself(network: Refiner) -> None:
    whole, unknown = replace(SMALL_TILES, tile_px=4096, colour_fix="none"), torch.ones(1, 1, 64, 64)
    results = [
        refined(network, x, unknown, whole, Sampling(steps=3, strength=0.0)) for x in (photo(64, 64), 1 - photo(64, 64))
    ]
    torch.testing.assert_close(*results)
    heeded = [refined(network, x, unknown, whole) for x in (photo(64, 64), 1 - photo(64, 64))]
    assert not torch.allclose(*heeded)


@pytest.mark.parametrize("words", [Sampling(prompt="a lamp"), Sampling(negative_prompt="noise")])
def test_the_compact_prior_reads_no_words(network: Refiner, words: Sampling) -> None:
    with pytest.raises(UsageError, match=r"reads no words.*refine_paper"):
        refined(network, photo(), blown(), sampling=words)


@pytest.fixture(scope="module")
def reader(tiny_prior: LatentPriorSettings) -> Refiner:
    """A refiner that attends to words, which it reads as the numbers of their letters."""
    torch.manual_seed(0)
    refiner = build_refiner(RefinerSettings(prior=replace(tiny_prior, context_tokens=0, latent_deviation=1.0))).eval()
    nn.init.normal_(refiner.denoiser.mid_block.attentions[0].proj_out.weight)

    def words(prompts: Sequence[str]) -> Tensor:
        return torch.tensor([[[float(len(prompt))] * 8, [1.0] * 8] for prompt in prompts])

    refiner.words = words
    return refiner


def steered(reader: Refiner, **words: Any) -> Tensor:
    whole = replace(SMALL_TILES, tile_px=4096, colour_fix="none")
    return refined(reader, photo(64, 64), torch.ones(1, 1, 64, 64), whole, Sampling(steps=2, **words))


def test_a_prompt_steers(reader: Refiner) -> None:
    assert not torch.equal(steered(reader, prompt="a lamp"), steered(reader))
    assert torch.equal(steered(reader, negative_prompt="noise"), steered(reader))  # guidance of 1 is the prompt alone


def test_guidance_leads_away_from_the_negative_prompt(reader: Refiner) -> None:
    wanted, unwanted = (steered(reader, prompt=prompt) for prompt in ("lamp", "noises"))
    torch.testing.assert_close(steered(reader, prompt="lamp", negative_prompt="noises", guidance=0.0), unwanted)
    nearly = steered(reader, prompt="lamp", negative_prompt="noises", guidance=1.0001)
    torch.testing.assert_close(nearly, wanted, atol=1e-3, rtol=0)
    far = steered(reader, prompt="lamp", negative_prompt="noises", guidance=3.0)
    assert not torch.allclose(far, wanted, atol=1e-3)


def test_a_prior_that_attends_to_words_needs_them(reader: Refiner) -> None:
    words, reader.words = reader.words, None
    with pytest.raises(UsageError, match="came without a text encoder"):
        steered(reader)
    reader.words = words


@torch.inference_mode()
def test_half_precision_gives_the_same_picture() -> None:
    shipped = load_network("sagiri", "refine", None, torch.device("cpu"))
    assert shipped.preset.capabilities.half_precision
    assert isinstance(shipped.network, Refiner)
    ramp = torch.linspace(0.3, 1, 96).view(1, 1, 96, 1).expand(1, 3, 96, 96)
    unknown = (ramp[:, :1] > 0.7).float()
    exact = refined(shipped.network, ramp, unknown, sampling=Sampling(steps=4))
    with torch.autocast("cpu", torch.bfloat16):
        half = refined(shipped.network, ramp, unknown, sampling=Sampling(steps=4))
    assert half.dtype == torch.float32
    change = 255 * (half - exact).abs()
    assert change.mean() < 1
    assert change.max() < 8
