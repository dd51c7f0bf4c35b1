"""How the first stage learns: Sagiri's colour reconstruction loss, and what serves the small network beside it."""

from __future__ import annotations

from typing import Annotated

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.methods.contract import EnhanceBatch, Training
from headroom.methods.sagiri.refine_training import REFINE, REFINE_PAPER
from headroom.methods.sagiri.stage1_losses import (
    COLOUR_WEIGHT,
    FREQUENCY_WEIGHT,
    PIXEL_WEIGHT,
    colour_distribution_loss,
    frequency_loss,
)
from headroom.nn.ssim import ssim

Weight = Annotated[float, Field(ge=0)]


class Stage1Loss(BaseModel):
    """Weights of the terms; those given are the paper's (eq. 7), which has no absolute error and no structure.

    Attributes:
        colour: Of the difference of colour histograms.
        frequency: Of the difference of Fourier transforms, which are not normalised.
        pixels: Of the squared error.
        absolute: Of the absolute error.
        structure: Of 1 - SSIM.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    colour: Weight = COLOUR_WEIGHT
    frequency: Weight = FREQUENCY_WEIGHT
    pixels: Weight = PIXEL_WEIGHT
    absolute: Weight = 0.0
    structure: Weight = 0.0


def loss(network: nn.Module, batch: EnhanceBatch, settings: Stage1Loss) -> dict[str, Tensor]:
    """Compare with the well-exposed picture, in its code values."""
    exposed = network(batch.encoded).float()
    terms = {
        "colour": colour_distribution_loss(exposed, batch.truth),
        "frequency": frequency_loss(exposed, batch.truth),
        "pixels": F.mse_loss(exposed, batch.truth),
        "absolute": F.l1_loss(exposed, batch.truth),
        "structure": 1 - ssim(exposed, batch.truth).mean(),
    }
    weights = settings.model_dump()
    return {**terms, "total": sum((weights[name] * term for name, term in terms.items()), exposed.new_zeros(()))}


def predict(network: nn.Module, batch: EnhanceBatch) -> Tensor:
    """Expose a batch of photos well: N x 3 x H x W code values in [0, 1]."""
    exposed: Tensor = network(batch.encoded)
    return exposed.float().clamp(0, 1)


TRAINING = {
    "compact": Training(Stage1Loss, loss, predict),
    "paper": Training(Stage1Loss, loss, predict, recipe="recipe_paper"),
    "refine": REFINE,
    "refine_paper": REFINE_PAPER,
}
