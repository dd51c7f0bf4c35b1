"""A latent prior that reads words: Stable Diffusion, from a local folder in the layout of diffusers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor, nn

from headroom.errors import UsageError
from headroom.nn.latent.folder import read_prior
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.settings import COMPACT, LatentPriorSettings
from headroom.nn.latent.words import read_words


class ReadingPrior(LatentPrior):
    """A latent prior with what turns words into what its denoiser attends to."""

    words: Callable[[Sequence[str]], Tensor] | None = None
    """Turns N prompts into N x L x D."""


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
    prior = read_prior(ReadingPrior, folder)
    prior.words = read_words(folder)
    return prior


def read_prompts(prior: LatentPrior, prompts: Sequence[str]) -> Tensor | None:
    """Give what the denoiser attends to for N prompts, N x L x D; None for what it learned in their place.

    Raises:
        UsageError: It attends to words, and what reads them is missing.
    """
    if prior.learned_context is not None:
        return None
    words = prior.words if isinstance(prior, ReadingPrior) else None
    if words is None:
        raise UsageError("this prior attends to words, and its weights came without what reads them. Give a folder.")
    return words(prompts).to(prior.latent_mean)
