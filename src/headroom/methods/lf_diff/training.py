"""How the networks learn: LF-Diff's two stages, eq. 11, 14 and 15."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import MergeBatch, Training
from headroom.methods.lf_diff.network import Merged, MergeNetwork, light
from headroom.methods.lf_diff.prior_source import PriorKind
from headroom.nn.gradient_error import gradient_error
from headroom.nn.mu_law import mu_law
from headroom.nn.perceptual import FeatureDistance, load_feature_distance


class LFDiffLoss(BaseModel):
    """What is learned, and the weights of the loss.

    Attributes:
        prior: Where the prior comes from: `truth` is stage one, `diffusion` stage two, which starts from the weights
            of stage one (`run.initial_weights`); `none` trains the same network without a prior.
        sampling_steps: Steps of the diffusion.
        gradient: Weight of the error of neighbouring pixels' differences; the paper has none.
        perceptual: Weight of the distance in features of VGG16; above 0 it needs `perceptual_backbone`.
        perceptual_backbone: safetensors file of torchvision's `vgg16`, ImageNet. The paper has VGG19, and does not say
            which layers.
        prior_error: Weight of the prior's absolute error in stage two.
        noise_error: Weight of the denoiser's squared error in stage two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prior: PriorKind = "diffusion"
    sampling_steps: Literal[1, 2, 4, 5, 10, 20, 25, 50, 100, 200] = 10
    gradient: Annotated[float, Field(ge=0)] = 0.0
    perceptual: Annotated[float, Field(ge=0)] = 0.0
    perceptual_backbone: Path | None = None
    prior_error: Annotated[float, Field(ge=0)] = 1.0
    noise_error: Annotated[float, Field(ge=0)] = 1.0


def prepare(network: nn.Module, settings: LFDiffLoss) -> None:
    """Choose the prior, and see that the loss has its file.

    Raises:
        UsageError: The settings leave the file out.
        WeightsError: The file is missing, damaged or for another network.
    """
    _perceptual(settings)
    _as_ours(network).prior.choose(settings.prior, settings.sampling_steps)


def loss(network: nn.Module, batch: MergeBatch, settings: LFDiffLoss) -> dict[str, Tensor]:
    """Compare in mu-law light (eq. 11), and in stage two the prior and the noise too (eq. 15)."""
    merged: Merged = network(batch.inputs, batch.truth)
    tone, truth = merged.tone.float(), mu_law(batch.truth)
    terms = {
        "l1": F.l1_loss(tone, truth),
        "gradient": gradient_error(tone, truth),
        "prior_error": merged.prior_error,
        "noise_error": merged.noise_error,
    }
    weights = {"l1": 1.0, **settings.model_dump(include={"gradient", "prior_error", "noise_error"})}
    if (distance := _perceptual(settings)) is not None:
        terms["perceptual"] = distance.to(tone.device)(tone, truth)
        weights["perceptual"] = settings.perceptual
    total = sum((weights[name] * term for name, term in terms.items()), start=tone.new_zeros(()))
    return {**terms, "total": total}


def predict(network: nn.Module, batch: MergeBatch) -> Tensor:
    """Merge a batch of brackets: N x 3 x H x W light. Only a network in stage one reads the truth, for its prior."""
    reads_truth = _as_ours(network).prior.kind == "truth"
    return light(network(batch.inputs, batch.truth if reads_truth else None))


def _as_ours(network: nn.Module) -> MergeNetwork:
    if not isinstance(network, MergeNetwork):
        raise TypeError(f"{type(network).__name__} is not a network of lf_diff")
    return network


def _perceptual(settings: LFDiffLoss) -> FeatureDistance | None:
    if not settings.perceptual:
        return None
    if settings.perceptual_backbone is None:
        raise UsageError(
            "loss.perceptual_backbone is missing: give a .safetensors copy of torchvision's vgg16 ImageNet weights, or "
            "set loss.perceptual = 0 to train without that term."
        )
    return _read_once(settings.perceptual_backbone)


@functools.lru_cache(maxsize=1)
def _read_once(path: Path) -> FeatureDistance:
    return load_feature_distance(path)


_PAPER = Training(LFDiffLoss, loss, predict, prepare, recipe="recipe_paper")

TRAINING = {"compact": Training(LFDiffLoss, loss, predict, prepare), "paper": _PAPER, "paper_matched": _PAPER}
