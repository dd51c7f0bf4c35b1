"""A latent prior that reads words: Stable Diffusion, from a local folder in the layout of diffusers."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from headroom.errors import UsageError
from headroom.nn.latent.folder import read_prior
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import COMPACT, LatentPriorSettings
from headroom.nn.latent.words import read_words


def read_folder(settings: LatentPriorSettings, folder: Path) -> nn.Module:
    """Read the network of a preset from a folder; see `Method.read_folder`.

    Raises:
        UsageError: The weights of this preset are one file.
        MissingDependency: transformers is not installed.
        WeightsError: A file is missing or damaged, or not of a Stable Diffusion 1.x or 2.x.
    """
    if settings == COMPACT:
        raise UsageError(
            f"{folder}: is a folder, and the preset compact of latent_prior is read from a file. Give one, or use the "
            "preset stable_diffusion."
        )
    prior = read_prior(LatentPrior, folder)
    prior.words = read_words(folder)
    return prior
