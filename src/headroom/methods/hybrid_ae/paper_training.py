"""How the published networks and the U-Net beside them learn: the slides' objective on pictures of log light."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import ExpandBatch, ExpandInput, Training
from headroom.methods.hybrid_ae.decoder import HybridAutoencoder
from headroom.methods.hybrid_ae.losses import PaperLoss, clipped_alpha, random_flips
from headroom.methods.hybrid_ae.paper import run_paper
from headroom.methods.hybrid_ae.preprocessing import normalise_hdr, normalise_ldr, rejection_reason
from headroom.nn.loss_networks import lpips_of_recipe
from headroom.nn.mobilenet_v3 import load_imagenet_encoder


class PaperLossTable(BaseModel):
    """Weights of the loss, and the files that it and the encoder need.

    Attributes:
        l1: Weight of the mean absolute error.
        lpips: Weight of LPIPS; above 0 it needs both of its files.
        clipped_alpha: How many times a clipped value's absolute error counts; the slides' run has 1.
        lpips_backbone: See `load_lpips`.
        lpips_heads: See `load_lpips`.
        encoder: safetensors file of torchvision's `mobilenet_v3_large` (ImageNet), or "random". The encoder does not
            train, so a random one is only good for seeing the code run. The U-Net has none and ignores it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    l1: Annotated[float, Field(ge=0)] = 2.0
    lpips: Annotated[float, Field(ge=0)] = 3.0
    clipped_alpha: Annotated[float, Field(ge=0)] = 1.0
    lpips_backbone: Path | None = None
    lpips_heads: Path | None = None
    encoder: Path | Literal["random"] | None = None


def prepare(network: nn.Module, settings: PaperLossTable) -> None:
    """Load the encoder, and see that the loss has its files.

    Raises:
        UsageError: The settings leave out a file.
        WeightsError: A file is missing, damaged or for another network.
    """
    _objective(settings)
    if not isinstance(network, HybridAutoencoder) or settings.encoder == "random":
        return
    if settings.encoder is None:
        raise UsageError(
            "loss.encoder is missing: give a .safetensors copy of torchvision's mobilenet_v3_large ImageNet weights, "
            'or "random" to only see the code run.'
        )
    load_imagenet_encoder(network.encoder, settings.encoder)


def loss(network: nn.Module, batch: ExpandBatch, settings: PaperLossTable) -> dict[str, Tensor]:
    """Compare the network's picture with the min-max normalised log of the truth.

    Pairs that the slides filter out count nothing; `kept` is the share of the others. Flips draw from torch's global
    generator.
    """
    kept = torch.tensor([rejection_reason(*pair) is None for pair in zip(batch.encoded, batch.truth, strict=True)])
    # With nothing kept the network still runs, because on many processes all of them have to.
    used = (kept if kept.any() else ~kept).to(batch.encoded.device)
    pictures = (batch.encoded[used], batch.truth[used], batch.clipped[used])
    encoded, truth, clipped = random_flips(pictures, torch.default_generator)
    target, _ = normalise_hdr(truth)
    prediction = network(normalise_ldr(encoded)).float()
    objective = _objective(settings).to(prediction.device)
    total: Tensor = objective(prediction, target, clipped_alpha(clipped, weight=settings.clipped_alpha))
    return {"kept": kept.float().mean(), "total": total * bool(kept.any())}


def predict(network: nn.Module, batch: ExpandBatch) -> Tensor:
    """Expand a batch of photos by the inverse that is used on a user's: N x 3 x H x W linear light."""
    inputs = ExpandInput(batch.encoded, batch.linear, batch.clipped)
    gain = run_paper(network, inputs, torch.default_generator, lambda _share: None)
    return batch.linear * torch.exp2((gain * batch.clipped).clamp_min(0))


def _objective(settings: PaperLossTable) -> PaperLoss:
    if not settings.lpips:
        return PaperLoss(None, l1_weight=settings.l1, lpips_weight=0)
    lpips = lpips_of_recipe(settings.lpips_backbone, settings.lpips_heads)
    return PaperLoss(lpips, l1_weight=settings.l1, lpips_weight=settings.lpips)


PAPER_TRAINING = Training(PaperLossTable, loss, predict, prepare, recipe="recipe_paper")
