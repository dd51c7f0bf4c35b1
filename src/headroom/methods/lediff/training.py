"""How LEDiff learns, a part in each run: the decoder with the fusion, then the denoiser of each direction.

Source: LEDiff, section 3.3. All runs start from the latent prior; a released preset has a decoder for each direction.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.methods.contract import ExposureBatch, Training
from headroom.methods.lediff.critic import Critic
from headroom.methods.lediff.expose import expose
from headroom.methods.lediff.exposer import DIRECTIONS, Direction, Exposer, Part
from headroom.methods.lediff.losses import decoder_losses, denoising_loss
from headroom.methods.lediff.names import ADAPTER_SCALE, WHOLE_LAYERS, filled
from headroom.methods.lediff.network import Decoded, Denoised, LEDiff
from headroom.nn.latent.words import read_words
from headroom.nn.loss_networks import lpips_of_recipe
from headroom.nn.low_rank import add_adapters
from headroom.nn.perceptual import LPIPS
from headroom.weights.reader import load_into, read_state_dict

_SHOWN_STEPS = 4
"""Of the sampling that validation measures and draws."""

Weight = Annotated[float, Field(ge=0)]


class LEDiffLoss(BaseModel):
    """What is learned from what.

    Attributes:
        part: What learns.
        direction: Where it is; the compact preset ships one decoder, that of the highlights.
        weights: Safetensors files to start from: those of the latent prior, and of parts that have learned already.
        needs_weights: False where `run.initial_weights` holds everything, or where random weights will do.
        words: Folder with `text_encoder` and `tokenizer`, for a prior that attends to words; the prompt is empty.
        rank: Of the denoiser's adapters; 0 trains it as a whole.
        draws: Noises that each example's latents are mixed with, since encoding costs as much as a step.
        lost: By how much more counts what the photo, or the given exposure, does not show.
        of_velocity: Whether the denoiser's steps count alike for the picture, or for the noise as the paper has it.
        gradient: Weight of the error of neighbouring values' differences, beside the absolute error.
        structure: Weight of 1 - SSIM.
        texture: Weight of the error of the strength of fine detail.
        lpips: Weight of LPIPS; above 0 it needs both of its files.
        lpips_backbone: See `load_lpips`.
        lpips_heads: See `load_lpips`.
        adversarial: Weight of what a critic, which learns along, finds wrong; 0 has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: Part = "decoder"
    direction: Direction = "highlights"
    weights: tuple[Path, ...] = ()
    needs_weights: bool = True
    words: Path | None = None
    rank: Annotated[int, Field(ge=0)] = 64
    draws: Annotated[int, Field(ge=1)] = 1
    lost: Weight = 0.0
    of_velocity: bool = True
    gradient: Weight = 1.0
    structure: Weight = 0.1
    texture: Weight = 1.5
    lpips: Weight = 0.0
    lpips_backbone: Path | None = None
    lpips_heads: Path | None = None
    adversarial: Weight = 0.0


def prepare(network: nn.Module, settings: LEDiffLoss) -> None:
    """Load what training starts from and choose what learns.

    Raises:
        UsageError: The settings leave the weights out, or what reads words.
        MissingDependency: peft is not installed, or transformers where the prior attends to words.
        WeightsError: A file is missing, damaged or for another network.
    """
    lediff = _as_ours(network)
    if settings.weights:
        state = {name: x for path in settings.weights for name, x in read_state_dict(path).items()}
        load_into(lediff, _grown(state, lediff), ", ".join(map(str, settings.weights)))
    elif settings.needs_weights:
        raise UsageError(
            "loss.weights is missing: give the safetensors files of the latent prior as a list, or set "
            "loss.needs_weights = false where run.initial_weights holds everything."
        )
    learning = lediff.train_part(settings.part, settings.direction, settings.draws)
    if settings.part == "decoder":
        _perceptual(settings)  # so that its files are missed now, not in the first step
        for part in (learning.autoencoder.decoder, learning.autoencoder.post_quant_conv, learning.fusion):
            part.requires_grad_(requires_grad=True)
        lediff.critic = Critic() if settings.adversarial else None
    else:
        _prepare_denoiser(learning, settings)


def _prepare_denoiser(learning: Exposer, settings: LEDiffLoss) -> None:
    """Let a denoiser learn: adapters and its first and last layer, or all of it."""
    if settings.words:
        learning.words = read_words(settings.words)
    learning.read([""])  # so that words are missed now, not in the first step
    if not settings.rank:
        learning.denoiser.requires_grad_(requires_grad=True)
        return
    layers = [name for name, layer in learning.denoiser.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    patterns = [name.replace(".", r"\.") for name in layers if name not in WHOLE_LAYERS]
    add_adapters(learning.denoiser, patterns, rank=settings.rank, scale=ADAPTER_SCALE, trained=WHOLE_LAYERS)


def _grown(state: dict[str, Tensor], network: LEDiff) -> dict[str, Tensor]:
    """Let weights of the latent prior and of learned parts fill a network: what is new in it, changes nothing yet."""
    whole = filled(state, [direction for direction in DIRECTIONS if network.towards(direction)])
    for name, own in network.state_dict().items():
        if ".fusion." in name or name.startswith("anchor."):
            whole.setdefault(name, own)
        elif any(f".denoiser.{layer}." in name for layer in WHOLE_LAYERS) and name in whole:
            wide = torch.zeros_like(own)
            wide[tuple(map(slice, whole[name].shape))] = whole[name]
            whole[name] = wide
    return whole


def loss(network: nn.Module, batch: ExposureBatch, settings: LEDiffLoss) -> dict[str, Tensor]:
    """Compare decoded light with the truth's, or the noise that the denoiser sees with the noise that is there."""
    result: Decoded | Denoised = network(batch.codes, batch.truth)
    if isinstance(result, Denoised):
        return {"total": denoising_loss(result, settings.lost, of_velocity=settings.of_velocity)}
    terms = decoder_losses(result, settings.lost, _perceptual(settings))
    weights = {"l1": 1.0, "critic": 1.0, **settings.model_dump(include=set(terms))}
    return {**terms, "total": torch.stack([weights[name] * term for name, term in terms.items()]).sum()}


def _perceptual(settings: LEDiffLoss) -> LPIPS | None:
    return lpips_of_recipe(settings.lpips_backbone, settings.lpips_heads) if settings.lpips else None


def predict(network: nn.Module, batch: ExposureBatch) -> Tensor:
    """Make light of all exposures while the decoder learns, then of the photo alone: N x 3 x H x W.

    Always with the same noise; 1.0 is where the middle exposure clips.
    """
    lediff = _as_ours(network)
    exposer = lediff.learning
    if lediff.part == "decoder":
        latents = exposer.encode_all(batch.codes)
    else:
        photo = batch.codes[torch.arange(len(batch.codes)), batch.photo]
        options = replace(exposer.options, steps=_SHOWN_STEPS, guidance=1.0)
        generator = torch.Generator().manual_seed(0)
        latents = expose(exposer, exposer.encode(photo), lediff.direction, options, generator, lambda _share: None)
    return exposer.light_of(exposer.decode(exposer.fusion(latents)))


def _as_ours(network: nn.Module) -> LEDiff:
    if not isinstance(network, LEDiff):
        raise TypeError(f"{type(network).__name__} is not a network of LEDiff")
    return network


TRAINING = {
    "compact": Training(LEDiffLoss, loss, predict, prepare, of_exposures=True),
    "paper": Training(LEDiffLoss, loss, predict, prepare, recipe="recipe_paper", of_exposures=True),
}
