"""Sagiri's second stage from a Stable Diffusion folder, to which its control branch was added."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from headroom.errors import UsageError
from headroom.methods.sagiri.keymap import CONTROL, own_names
from headroom.methods.sagiri.latent_swinir import LatentSwinIRSettings
from headroom.methods.sagiri.refiner import PAPER_REFINER, RefineOptions, Refiner, RefinerSettings
from headroom.nn.latent.folder import from_folder, read_settings
from headroom.nn.latent.folder_writing import CONTROL_FILE
from headroom.nn.latent.released import AUTOENCODER
from headroom.nn.latent.words import read_words
from headroom.weights.reader import load_into, read_state_dict


def read_folder(settings: LatentSwinIRSettings | RefinerSettings, folder: Path) -> nn.Module:
    """Read the network of a preset from a folder; see `Method.read_folder`.

    Raises:
        UsageError: The weights of this preset are one file.
        MissingDependency: See `read_refiner`.
        WeightsError: See `read_refiner`.
    """
    if settings != PAPER_REFINER:
        raise UsageError(
            f"{folder}: is a folder, and only the preset refine_paper of sagiri is read from one. Give a file."
        )
    return read_refiner(folder, PAPER_REFINER.options)


def read_refiner(folder: Path, options: RefineOptions = PAPER_REFINER.options) -> Refiner:
    """Read a refiner that words steer.

    Args:
        folder: In the layout that `headroom.nn.latent.folder` describes, with `control.safetensors`. Without its
            `text_encoder`, the refiner asks for words when it is run.
        options: How it is used.

    Raises:
        MissingDependency: transformers is not installed.
        WeightsError: A file is missing, damaged or for another network.
    """
    settings, prior = read_settings(folder), from_folder(folder)
    refiner = Refiner(
        prior.autoencoder,
        prior.denoiser,
        latent_deviation=settings.latent_deviation,
        prediction=settings.prediction,
    )
    refiner.start_control(sees_mask=False)
    path = folder / CONTROL_FILE
    beside = {AUTOENCODER + name: value for name, value in prior.autoencoder.state_dict().items()}
    found = own_names(beside | read_state_dict(path))
    control = {name.removeprefix(CONTROL): value for name, value in found.items() if name.startswith(CONTROL)}
    load_into(refiner.control, control, str(path))
    refiner.options = options
    if (folder / "text_encoder").is_dir():
        refiner.words = read_words(folder)
    return refiner.eval()
