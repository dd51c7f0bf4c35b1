"""How the regressors learn: the gain map and its light together, then where they err (GMODiff's first two stages)."""

from __future__ import annotations

from typing import Annotated, Literal

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.methods.contract import MergeBatch, Training
from headroom.methods.gmodiff.gain import encode_gain
from headroom.methods.gmodiff.refine_training import REFINE, REFINE_PAPER
from headroom.methods.gmodiff.regressor import Regression, Regressor
from headroom.methods.gmodiff.reliability import unreliable
from headroom.nn.gradient_error import gradient_error
from headroom.nn.mu_law import mu_law


class RegressorLoss(BaseModel):
    """What is learned, and the weights of the loss.

    Attributes:
        learn: `gain` is the first stage; `mask` the second, which teaches the mask head alone and starts from the
            weights of the first (`run.initial_weights`).
        light: Weight of the light's error in mu-law beside that of the gain map: dual learning.
        gradient: Weight of the error of neighbouring pixels' differences in mu-law light; the paper has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    learn: Literal["gain", "mask"] = "gain"
    light: Annotated[float, Field(ge=0)] = 1.0
    gradient: Annotated[float, Field(ge=0)] = 0.0


def prepare(network: nn.Module, settings: RegressorLoss) -> None:
    """Settle which part of a network learns."""
    if not isinstance(network, Regressor):
        raise TypeError(f"{type(network).__name__} is not a network of gmodiff")
    network.learn(mask=settings.learn == "mask")


def loss(network: nn.Module, batch: MergeBatch, settings: RegressorLoss) -> dict[str, Tensor]:
    """Compare gain and light with the truth's, or the mask with where the light is wrong."""
    found: Regression = network(batch.inputs)
    if settings.learn == "mask":
        wrong = unreliable(found.light, batch.truth)
        mask = F.binary_cross_entropy_with_logits(found.unreliable.float(), wrong)
        return {"mask": mask, "wrong_share": wrong.mean(), "total": mask}
    light, truth = mu_law(found.light), mu_law(batch.truth)
    gain = F.l1_loss(found.gain.float(), encode_gain(batch.truth, found.base))
    terms = {"gain": gain, "light": F.l1_loss(light, truth), "gradient": gradient_error(light, truth)}
    return {**terms, "total": gain + settings.light * terms["light"] + settings.gradient * terms["gradient"]}


def predict(network: nn.Module, batch: MergeBatch) -> Tensor:
    """Merge a batch of brackets: N x 3 x H x W light."""
    found: Regression = network(batch.inputs)
    return found.light


TRAINING = {
    "compact": REFINE,
    "compact_unguided": REFINE,
    "paper": REFINE_PAPER,
    "regressor": Training(RegressorLoss, loss, predict, prepare),
    "regressor_paper": Training(RegressorLoss, loss, predict, prepare, recipe="recipe_paper"),
}
