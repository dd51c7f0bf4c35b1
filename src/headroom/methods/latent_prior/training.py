"""How the latent prior learns: its autoencoder first, then its denoiser on the autoencoder's latents."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.methods.contract import GenerateBatch, Training
from headroom.methods.latent_prior.losses import colour_error, readout_error
from headroom.methods.latent_prior.network import Autoencoded, Denoised, Stage, TrainedPrior
from headroom.nn.gradient_error import gradient_error
from headroom.nn.ssim import ssim
from headroom.nn.texture_error import texture_error

Weight = Annotated[float, Field(ge=0)]


class LatentPriorLoss(BaseModel):
    """What is learned, and the weights of the autoencoder's loss beside its absolute error.

    Attributes:
        stage: The part that learns; the denoiser starts from the autoencoder's weights (`run.initial_weights`).
        colour: Weight of the error of the mean colours of 8 x 8 pixels; edges would have all of the latents otherwise.
        readout: Weight of the share of those colours that cannot be read off the latents.
        gradient: Weight of the error of neighbouring pixels' differences.
        structure: Weight of 1 - SSIM.
        texture: Weight of the error of the strength of fine detail.
        divergence: Weight of the latents' divergence from a normal distribution.
        draws: Noises that the denoiser sees on each picture's latents.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Stage = "autoencoder"
    colour: Weight = 4.0
    readout: Weight = 0.2
    gradient: Weight = 1.0
    structure: Weight = 0.1
    texture: Weight = 1.5
    divergence: Weight = 1e-4
    draws: Annotated[int, Field(ge=1)] = 4


def prepare(network: nn.Module, settings: LatentPriorLoss) -> None:
    """Choose the part that learns."""
    _as_ours(network).train_stage(settings.stage, settings.draws)


def loss(network: nn.Module, batch: GenerateBatch, settings: LatentPriorLoss) -> dict[str, Tensor]:
    """Compare pictures with what comes back from their latents, or noise with what the denoiser sees of it."""
    result: Autoencoded | Denoised = network(batch.pictures)
    if isinstance(result, Denoised):
        return {"total": F.mse_loss(result.estimate.float(), result.noise)}
    pictures = result.pictures.float()
    terms = {
        "l1": F.l1_loss(pictures, batch.pictures),
        "colour": colour_error(pictures, batch.pictures),
        "readout": readout_error(result.latents, batch.pictures),
        "gradient": gradient_error(pictures, batch.pictures),
        "structure": 1 - ssim(pictures, batch.pictures).mean(),
        "texture": texture_error(pictures, batch.pictures),
        "divergence": result.divergence.float(),
    }
    weights = {"l1": 1.0, **settings.model_dump(include=set(terms))}
    return {**terms, "total": torch.stack([weights[name] * term for name, term in terms.items()]).sum()}


def predict(network: nn.Module, batch: GenerateBatch) -> Tensor:
    """Bring pictures to latents and back: N x 3 x H x W code values."""
    prior = _as_ours(network)
    return prior.decode(prior.encode(batch.pictures))


def _as_ours(network: nn.Module) -> TrainedPrior:
    if not isinstance(network, TrainedPrior):
        raise TypeError(f"{type(network).__name__} is not a network of latent_prior")
    return network


TRAINING = {"compact": Training(LatentPriorLoss, loss, predict, prepare)}
