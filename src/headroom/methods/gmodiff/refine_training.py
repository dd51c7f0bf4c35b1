"""How the refiner learns: map, light and texture of the truth together (GMODiff's third stage), and its mask further.

The regressor stays as it is but for the mask's head. Of the prior, adapters of low rank learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import MergeBatch, Training
from headroom.methods.gmodiff.adapting import (
    ADAPTED,
    EXPECTING,
    NEW,
    PAINTING,
    RANK,
    SCALE,
    TRAINED,
    completed,
    named,
    widened,
)
from headroom.methods.gmodiff.gain import encode_gain
from headroom.methods.gmodiff.refiner import Refined, Refiner
from headroom.methods.gmodiff.reliability import unreliable
from headroom.nn.gradient_error import gradient_error
from headroom.nn.loss_networks import dists_of_recipe
from headroom.nn.low_rank import add_adapters
from headroom.nn.mu_law import mu_law
from headroom.weights.reader import load_into, read_state_dict

Weight = Annotated[float, Field(ge=0)]


class RefinerLoss(BaseModel):
    """What the refiner starts from, and the weights of the loss beside the map's own error.

    Attributes:
        parts: Safetensors files of the latent prior, of the regressor and, for compact sizes, of `hybrid_ae`.
        needs_parts: False where random weights will do.
        light: Weight of the light's error in mu-law.
        gradient: Weight of the error of neighbouring pixels' differences in mu-law light; the paper has none.
        squared: Weight of the squared error of mu-law light, which counts what is far off; the paper has none.
        mask: Weight of the cross-entropy of the mask, which changes nothing else; the paper teaches it before.
        texture: Weight of DISTS of mu-law light; above 0 it needs both of its files.
        vgg16: Safetensors file of torchvision's `vgg16`, ImageNet.
        dists: Safetensors file of the authors' `weights.pt`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: tuple[Path, ...] = ()
    needs_parts: bool = True
    light: Weight = 1.0
    gradient: Weight = 0.0
    squared: Weight = 0.0
    mask: Weight = 0.0
    texture: Weight = 0.0
    vgg16: Path | None = None
    dists: Path | None = None


def prepare(network: nn.Module, settings: RefinerLoss) -> None:
    """Load what the refiner starts from, and let adapters and what is new learn.

    Raises:
        UsageError: The settings leave a file out.
        MissingDependency: peft is not installed.
        WeightsError: A file is missing, damaged or for another network.
    """
    refiner = _as_ours(network)
    if settings.texture:
        dists_of_recipe(settings.vgg16, settings.dists)
    if settings.parts:
        _load(refiner, settings.parts)
    elif settings.needs_parts:
        raise UsageError(
            "loss.parts is missing: give the safetensors files of the latent prior and of the regressor as a list, or "
            "set loss.needs_parts = false where random weights will do."
        )
    modules = dict(refiner.named_modules())
    trained = [name for name in TRAINED if name in modules]
    layers = (*ADAPTED, EXPECTING if refiner.keeps_map else PAINTING)
    add_adapters(refiner, layers, rank=RANK, scale=SCALE, trained=trained)


def loss(network: nn.Module, batch: MergeBatch, settings: RefinerLoss) -> dict[str, Tensor]:
    """Compare map and light with the truth's, and the mask with where the regressed light is wrong."""
    found: Refined = network(batch.inputs)
    refined, regressed = found.refined, found.regressed
    light, truth = mu_law(refined.light), mu_law(batch.truth)
    terms = {
        "gain": F.l1_loss(refined.gain.float(), encode_gain(batch.truth, refined.base)),
        "light": F.l1_loss(light, truth),
        "gradient": gradient_error(light, truth),
        "squared": F.mse_loss(light, truth),
    }
    if settings.mask:
        wrong = unreliable(regressed.light.detach(), batch.truth)
        terms["mask"] = F.binary_cross_entropy_with_logits(regressed.unreliable.float(), wrong)
    if settings.texture:
        texture_distance = dists_of_recipe(settings.vgg16, settings.dists).to(light.device)
        terms["texture"] = texture_distance(light, truth).mean()
    weights = {"gain": 1.0, **settings.model_dump(include=set(terms))}
    return {**terms, "total": torch.stack([weights[name] * term for name, term in terms.items()]).sum()}


def predict(network: nn.Module, batch: MergeBatch) -> Tensor:
    """Merge a batch of brackets: N x 3 x H x W light."""
    found: Refined = network(batch.inputs)
    return found.light


def _load(refiner: Refiner, parts: Sequence[Path]) -> None:
    """Load what a refiner starts from; what is new in it stays as it is."""
    state = {name: value for path in parts for name, value in named(read_state_dict(path)).items()}
    known = completed(widened(state, 2 * refiner.channels))
    if lacking := _modules(refiner.state_dict()) - _modules(known) - set(NEW):
        raise UsageError(
            f"loss.parts: holds no weights of {', '.join(sorted(lacking))}. Add the safetensors files of the latent "
            "prior, of the regressor and, for compact sizes, of hybrid_ae."
        )
    load_into(refiner, refiner.state_dict() | known, ", ".join(map(str, parts)))


def _modules(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def _as_ours(network: nn.Module) -> Refiner:
    if not isinstance(network, Refiner):
        raise TypeError(f"{type(network).__name__} is not a refiner of gmodiff")
    return network


REFINE = Training(RefinerLoss, loss, predict, prepare, recipe="recipe_refine")
REFINE_PAPER = Training(RefinerLoss, loss, predict, prepare, recipe="recipe_refine_paper")
