"""Released directions of LEDiff: folders in the layout of diffusers, with their fusion beside the autoencoder.

    unet/                     sees two latents: the noisy ones and those of the neighbouring exposure
    vae/                      its decoder gives the logarithm of light
    vae/merge_model.safetensors    the fusion; `headroom weights import` makes it of the released merge_model.pth
    scheduler/, text_encoder/, tokenizer/

Each part is read on its own: the pipeline that `model_index.json` names is in no diffusers.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from headroom.errors import UsageError, WeightsError
from headroom.methods.lediff.exposer import DIRECTIONS, PAPER_LEDIFF, Direction, Exposer, LEDiffSettings
from headroom.methods.lediff.fusion import LatentFusion
from headroom.methods.lediff.network import LEDiff
from headroom.nn.latent.folder import read_prior
from headroom.nn.latent.words import read_words
from headroom.weights.reader import load_into, read_state_dict

_FUSIONS = ("vae/merge_model", "merge_model/merge_model")
"""Where the fusion may lie, without its suffix."""


def read_folder(settings: LEDiffSettings, folder: Path) -> nn.Module:
    """Read both directions from `highlights/` and `shadows/`, or one; see `Method.read_folder`.

    A folder that is a released one itself is that of the highlights.

    Raises:
        UsageError: The weights of this preset are one file.
        MissingDependency: transformers is not installed.
        WeightsError: A file is missing, damaged or for another network.
    """
    if settings != PAPER_LEDIFF:
        raise UsageError(f"{folder}: is a folder, and only the preset paper of lediff is read from one. Give a file.")
    folders: dict[Direction, Path] = {each: folder / each for each in DIRECTIONS if (folder / each).is_dir()}
    found = {direction: read_exposer(path, settings) for direction, path in folders.items()}
    if not found:
        found = {"highlights": read_exposer(folder, settings)}
    return LEDiff(found.get("highlights"), found.get("shadows")).eval()


def read_exposer(folder: Path, settings: LEDiffSettings = PAPER_LEDIFF) -> Exposer:
    """Read one direction.

    Args:
        folder: See above. Without its `text_encoder`, the network asks for words when it is run.
        settings: How it is used, and what its decoder's numbers mean; the rest stands in the folder.

    Raises:
        MissingDependency: transformers is not installed.
        WeightsError: A file is missing, damaged or for another network.
    """
    exposer = read_prior(Exposer, folder, conditions=1)
    exposer.fusion = _read_fusion(folder, exposer.channels)
    exposer.log_range, exposer.epsilon, exposer.options = settings.log_range, settings.epsilon, settings.options
    if (folder / "text_encoder").is_dir():
        exposer.words = read_words(folder)
    return exposer.eval()


def _read_fusion(folder: Path, channels: int) -> LatentFusion:
    stems = [folder / name for name in _FUSIONS]
    found = next((stem for stem in stems if stem.with_suffix(".safetensors").exists()), stems[0])
    path, released = found.with_suffix(".safetensors"), found.with_suffix(".pth")
    if released.exists() and not path.exists():
        raise WeightsError(f"{path}: is not there. Make it with: headroom weights import {released} -o {path}")
    state = read_state_dict(path)
    weight = state.get("weight_conv.weight")
    fusion = LatentFusion(channels, 1 if weight is None else weight.shape[-1])
    load_into(fusion, state, str(path))
    return fusion
