"""How the second stage learns, in two runs: to mend blurred lines, then to make up what photos do not show.

Source: Sagiri, section 3.2 and appendix D.2. Only the control branch learns; both runs start from the latent prior.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import EnhanceBatch, EnhanceInput, Sampling, Training
from headroom.methods.sagiri.latent_swinir import COMPACT, PAPER, LatentSwinIR
from headroom.methods.sagiri.refine import refine
from headroom.methods.sagiri.refiner import Refiner, Trial
from headroom.methods.sagiri.stage2_losses import (
    FREQUENCY_WEIGHT,
    NOISE_WEIGHT,
    STRUCTURE_WEIGHT,
    Compared,
    content_reconstruction_losses,
)
from headroom.nn.latent.words import read_words
from headroom.weights.reader import load_into, read_state_dict

_SHOWN_STEPS = 10
"""Of the sampling that validation measures and draws."""

Weight = Annotated[float, Field(ge=0)]
FirstStage = Literal["compact", "paper"]


class RefineLoss(BaseModel):
    """What is learned from what; the weights are those of pre-training.

    Attributes:
        prior: Safetensors files of the latent prior; the control branch starts as a copy of its denoiser.
        needs_prior: False where `run.initial_weights` holds the prior as well, or where random weights will do.
        words: Folder with `text_encoder` and `tokenizer`, for a prior that attends to words; the prompt is empty.
        first_stage: Safetensors file of the first stage, which makes the picture to refine of a photo; without one,
            as in pre-training, photos are refined themselves.
        first_stage_preset: The preset that this file is of.
        masked: Whether only the unknown region teaches, as in fine-tuning.
        noise: Weight of the squared error of the noise.
        frequency: Weight of the difference of its Fourier transforms, which are not normalised.
        structure: Weight of 1 - SSIM.
        structure_of: What that compares; the released code compares noise.
        draws: Noises that each picture's latents are mixed with, since encoding costs as much as a step.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prior: tuple[Path, ...] = ()
    needs_prior: bool = True
    words: Path | None = None
    first_stage: Path | None = None
    first_stage_preset: FirstStage = "compact"
    masked: bool = False
    noise: Weight = NOISE_WEIGHT
    frequency: Weight = FREQUENCY_WEIGHT
    structure: Weight = STRUCTURE_WEIGHT
    structure_of: Compared = "latents"
    draws: Annotated[int, Field(ge=1)] = 1


def prepare(network: nn.Module, settings: RefineLoss) -> None:
    """Load the prior, let the control branch start from it, and choose what is refined.

    Raises:
        UsageError: The settings leave the prior out, or what reads words for it.
        MissingDependency: transformers is not installed, and the prior attends to words.
        WeightsError: A file is missing, damaged or for another network.
    """
    refiner = _as_ours(network)
    refiner.draws = settings.draws
    if settings.words:
        refiner.words = read_words(settings.words)
    refiner.read([""])  # so that words are missed now, not in the first step
    if settings.first_stage:
        _first_stage(settings.first_stage, settings.first_stage_preset)
        refiner.first_stage = functools.partial(_expose, settings.first_stage, settings.first_stage_preset)
    if settings.prior:
        control = {f"control.{name}": value for name, value in refiner.control.state_dict().items()}
        prior = {name: value for path in settings.prior for name, value in read_state_dict(path).items()}
        load_into(refiner, prior | control, ", ".join(map(str, settings.prior)))
        refiner.start_control(sees_mask=refiner.sees_mask)
    elif settings.needs_prior:
        raise UsageError(
            "loss.prior is missing: give the safetensors files of the latent prior as a list, or set "
            "loss.needs_prior = false where run.initial_weights holds it too."
        )


def loss(network: nn.Module, batch: EnhanceBatch, settings: RefineLoss) -> dict[str, Tensor]:
    """Compare the noise that the refiner sees in the truth's latents with the noise that is there (eq. 10)."""
    trial: Trial = network(batch.truth, batch.encoded, batch.unknown)
    terms = content_reconstruction_losses(trial, structure_of=settings.structure_of, masked=settings.masked)
    weights = settings.model_dump()
    return {**terms, "total": sum((weights[name] * term for name, term in terms.items()), trial.noise.new_zeros(()))}


def predict(network: nn.Module, batch: EnhanceBatch) -> Tensor:
    """Refine a batch of photos in few steps, always with the same noise: N x 3 x H x W code values in [0, 1]."""
    refiner = _as_ours(network)
    picture = refiner.to_refine(batch.encoded)
    inputs = EnhanceInput(picture, batch.unknown, Sampling(steps=_SHOWN_STEPS))
    return refine(refiner, inputs, torch.Generator().manual_seed(0), lambda _share: None).clamp(0, 1)


def _as_ours(network: nn.Module) -> Refiner:
    if not isinstance(network, Refiner):
        raise TypeError(f"{type(network).__name__} is not a network of Sagiri's second stage")
    return network


def _expose(path: Path, preset: FirstStage, photo: Tensor) -> Tensor:
    """Run a first stage on N x 3 x H x W code values; the result is in [0, 1]."""
    with torch.no_grad():
        exposed: Tensor = _first_stage(path, preset).to(photo.device)(photo)
    return exposed.float().clamp(0, 1)


@functools.lru_cache(maxsize=1)
def _first_stage(path: Path, preset: FirstStage) -> nn.Module:
    network = LatentSwinIR(COMPACT if preset == "compact" else PAPER)
    load_into(network, read_state_dict(path), str(path))
    return network.eval()


REFINE = Training(RefineLoss, loss, predict, prepare, recipe="recipe_refine")
REFINE_PAPER = Training(RefineLoss, loss, predict, prepare, recipe="recipe_refine_paper")
