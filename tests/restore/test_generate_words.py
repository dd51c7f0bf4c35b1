"""Pictures drawn by words: by Stable Diffusion from a folder, made light of by LEDiff from another one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

pytest.importorskip("transformers")

from latent_tiny import TINY
from tiny_models import write_stable_diffusion

import headroom
from headroom.errors import UsageError
from headroom.methods.lediff.exposer import PAPER_LEDIFF, build_exposer


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion in `sd/`, and LEDiff's highlights that grew from it in `lediff/`."""
    folder = tmp_path_factory.mktemp("models")
    write_stable_diffusion(folder / "sd")
    write_stable_diffusion(folder / "lediff")
    torch.manual_seed(1)
    exposer = build_exposer(replace(PAPER_LEDIFF, prior=TINY))
    exposer.autoencoder.save_pretrained(folder / "lediff" / "vae")
    exposer.denoiser.save_pretrained(folder / "lediff" / "unet")
    save_file(exposer.fusion.state_dict(), folder / "lediff" / "vae" / "merge_model.safetensors")
    return folder


def drawn(folder: Path, prompt: str, negative_prompt: str = "", guidance: float = 1.0) -> NDArray[np.generic]:
    made = headroom.generate(
        method="latent_prior",
        preset="stable_diffusion",
        weights=folder / "sd",
        prompt=prompt,
        negative_prompt=negative_prompt,
        guidance=guidance,
        size_px=(64, 64),
        steps=3,
    )
    assert isinstance(made, headroom.Photo)
    return made.codes


def test_words_steer_what_is_drawn(folders: Path) -> None:
    lamp, sea = drawn(folders, "red lamp"), drawn(folders, "dark sea")
    assert (lamp != sea).mean() > 0.1
    # At guidance 0 only the words of what is not wanted are left.
    np.testing.assert_array_equal(drawn(folders, "red lamp", "dark sea", guidance=0), sea)


@pytest.mark.slow
def test_words_lead_to_light(folders: Path) -> None:
    options = {"method": "lediff", "preset": "paper", "weights": folders / "lediff", "size_px": (64, 64), "steps": 2}
    lamp, sea = (headroom.generate(**options, prior=folders / "sd", prompt=words) for words in ("red lamp", "sea"))  # type: ignore[arg-type]
    assert isinstance(lamp, headroom.Hdr)
    assert isinstance(sea, headroom.Hdr)
    assert lamp.pixels.shape == (64, 64, 3)
    assert np.isfinite(lamp.pixels).all()
    assert (lamp.pixels != sea.pixels).any()
    assert lamp.provenance["prompt"] == "red lamp"
    with pytest.raises(UsageError, match="Give a folder of it as prior"):
        headroom.generate(**options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_pipeline_of_diffusers_is_handed_in(folders: Path) -> None:
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    folder = folders / "sd"
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(folder / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        unet=UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made = headroom.from_pipeline(
        pipeline, "red lamp", size_px=(64, 64), steps=2, preset="paper", weights=folders / "lediff"
    )
    assert made.pixels.shape == (64, 64, 3)
    assert np.isfinite(made.pixels).all()
    assert made.provenance["generated"] is True


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"method": "lediff", "prior": Path("sd")}, "draws, so sd means nothing to it"),
        ({"method": "latent_prior", "prior": Path("sd")}, "latent_prior draws by itself"),
        (
            {"method": "latent_prior", "weights": Path(__file__).parent},
            "the preset compact of latent_prior is read from",
        ),
    ],
)
def test_a_prior_that_means_nothing_is_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        headroom.generate(**options)  # type: ignore[arg-type]
