"""Stable Diffusion 1.x and 2.x from a local folder in the layout of diffusers.

    unet/config.json        unet/diffusion_pytorch_model.safetensors
    vae/config.json         vae/diffusion_pytorch_model.safetensors
    scheduler/scheduler_config.json
    text_encoder/, tokenizer/     read by `words`, when a text is to steer

What the versions differ in stands in these files. Nothing is downloaded, and no pickle is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from headroom.errors import WeightsError
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.schedule import BETAS, STEPS
from headroom.nn.latent.settings import LatentPriorSettings, Prediction
from headroom.weights.reader import read_state_dict

_WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors")
_SCHEDULE = (
    ("num_train_timesteps", STEPS), ("beta_start", BETAS[0]), ("beta_end", BETAS[1]), ("beta_schedule", "scaled_linear")
)  # fmt: skip
_PREDICTIONS: tuple[Prediction, ...] = ("epsilon", "v_prediction")

# What diffusers called the parts of an attention before version 0.17, and what it calls them now.
_OLDER_NAMES = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}

_ADVICE = "Give a Stable Diffusion 1.x or 2.x as diffusers saves it, such as 2.1-base."


Prior = TypeVar("Prior", bound=LatentPrior)


def from_folder(folder: Path) -> LatentPrior:
    """Read a latent prior whose denoiser attends to words.

    Raises:
        WeightsError: A file is missing, damaged, or not of a Stable Diffusion 1.x or 2.x.
    """
    return read_prior(LatentPrior, folder)


def read_prior(kind: type[Prior], folder: Path, *, conditions: int = 0) -> Prior:
    """Read a latent prior of some kind; see `from_folder`.

    Args:
        kind: Its class.
        folder: See above.
        conditions: How many latents its denoiser sees behind the noisy ones.

    Raises:
        WeightsError: See `from_folder`.
    """
    from headroom.nn.latent.diffusers_models import make_networks

    settings = read_settings(folder, conditions=conditions)
    try:
        with torch.device("meta"):
            autoencoder, denoiser = make_networks(settings)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise WeightsError(f"{folder}: its configuration makes no network ({error}). Get the folder again.") from error
    _fill(autoencoder, folder / "vae")
    _fill(denoiser, folder / "unet")
    prior = kind(autoencoder, denoiser, latent_deviation=settings.latent_deviation, prediction=settings.prediction)
    return prior.eval()


def read_settings(folder: Path, *, conditions: int = 0) -> LatentPriorSettings:
    """Read from a folder's configuration which latent prior it holds; see `read_prior`.

    Raises:
        WeightsError: A file is missing, or not of a Stable Diffusion 1.x or 2.x.
    """
    paths = [folder / part / "config.json" for part in ("vae", "unet")]
    autoencoder, denoiser = map(_configuration, paths)
    channels = autoencoder.get("latent_channels", 4)
    for side, expected in (("in_channels", channels * (1 + conditions)), ("out_channels", channels)):
        _check(paths[1], side, denoiser.get(side, 4), expected)
    halvings = len(autoencoder.get("block_out_channels", ())) - 1
    _check(paths[0], "number of halvings", halvings, 3)  # so that cells of latents are 8 x 8 pixels
    scale = autoencoder.get("scaling_factor", 0.18215)
    if not isinstance(scale, float) or scale <= 0:
        raise WeightsError(f"{paths[0]}: scaling_factor is {scale!r}, not a number above 0. Get the folder again.")
    return LatentPriorSettings(
        autoencoder,
        denoiser,
        latent_deviation=1 / scale,
        prediction=_prediction(folder / "scheduler" / "scheduler_config.json"),
    )


def _prediction(path: Path) -> Prediction:
    """Read what the denoiser estimates, and see that it knows our schedule."""
    scheduler = _configuration(path)
    for key, expected in _SCHEDULE:
        _check(path, key, scheduler.get(key), expected)
    for prediction in _PREDICTIONS:
        if scheduler.get("prediction_type", _PREDICTIONS[0]) == prediction:
            return prediction
    found = scheduler["prediction_type"]
    raise WeightsError(f"{path}: prediction_type is {found!r}, not one of {', '.join(_PREDICTIONS)}. {_ADVICE}")


def _configuration(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror}). {_ADVICE}") from error
    except ValueError as error:
        raise WeightsError(f"{path}: is not JSON ({error}). Get the folder again.") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path}: holds no table. Get the folder again.")
    return found


def _check(path: Path, key: str, found: object, expected: object) -> None:
    if found != expected:
        raise WeightsError(f"{path}: {key} is {found!r} instead of {expected!r}. {_ADVICE}")


def _fill(network: nn.Module, folder: Path) -> None:
    """Give a network without memory the weights of a folder."""
    path = next((folder / name for name in _WEIGHTS if (folder / name).exists()), folder / _WEIGHTS[0])
    state = {_today(name): value for name, value in read_state_dict(path).items()}
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise WeightsError(f"{path}: does not fit its configuration ({error}). Get the folder again.") from error


def _today(name: str) -> str:
    for older, newer in _OLDER_NAMES.items():
        name = name.replace(older, newer)
    return name
