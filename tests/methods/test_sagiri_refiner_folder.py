from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from headroom.errors import UsageError, WeightsError
from headroom.methods.contract import EnhanceInput, Sampling
from headroom.methods.sagiri.refine import refine
from headroom.methods.sagiri.refiner import Refiner, RefinerSettings, build_refiner
from headroom.methods.sagiri.refiner_folder import CONTROL_FILE, read_refiner
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.training.checkpoint import save_tensors

TINY = LatentPriorSettings(
    autoencoder={
        "block_out_channels": (4, 4, 8, 8),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 2,
    },
    denoiser={
        "block_out_channels": (8, 16),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "attention_head_dim": 4,
        "cross_attention_dim": 12,
    },
    latent_deviation=1 / 0.18215,
)


@pytest.fixture(scope="module")
def original() -> Refiner:
    torch.manual_seed(0)
    refiner = build_refiner(RefinerSettings(prior=TINY, sees_mask=False)).eval()
    for parameter in refiner.control.parameters():
        nn.init.normal_(parameter, std=0.1)
    return refiner


@pytest.fixture
def folder(original: Refiner, tmp_path: Path) -> Path:
    """A tiny Stable Diffusion, written by diffusers, and what an imported second stage holds."""
    from headroom.nn.latent.diffusers_models import DDPMScheduler

    original.autoencoder.save_pretrained(tmp_path / "vae")
    original.denoiser.save_pretrained(tmp_path / "unet")
    DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").save_pretrained(
        tmp_path / "scheduler"
    )
    save_tensors(tmp_path / CONTROL_FILE, original.state_dict())
    return tmp_path


@torch.no_grad()
def test_a_folder_gives_the_refiner_that_it_was_made_of(folder: Path, original: Refiner) -> None:
    found = read_refiner(folder)
    noisy, hint = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    context, step = torch.ones(1, 3, 12), torch.tensor([400])
    noise = [refiner.steered_noise(noisy, step, hint, context) for refiner in (found, original)]
    torch.testing.assert_close(*noise)
    pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.encode(pictures), original.encode(pictures))


def test_a_folder_without_control_is_refused(folder: Path) -> None:
    (folder / CONTROL_FILE).unlink()
    with pytest.raises(WeightsError, match=CONTROL_FILE):
        read_refiner(folder)


def test_without_a_text_encoder_words_are_asked_for(folder: Path) -> None:
    given = EnhanceInput(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64), Sampling(steps=1))
    with pytest.raises(UsageError, match="text_encoder and tokenizer"):
        refine(read_refiner(folder), given, torch.Generator(), lambda _share: None)
