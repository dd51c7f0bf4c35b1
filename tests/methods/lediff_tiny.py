"""LEDiff in miniature."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from headroom.methods.lediff.exposer import COMPACT_LEDIFF, LEDiffSettings
from headroom.methods.lediff.network import LEDiff, build
from headroom.nn.gain_network import GainNetworkSettings
from headroom.nn.latent.settings import LatentPriorSettings

ANCHOR = GainNetworkSettings(channels=(8, 8), depths=(1, 1), context=8)


def settings(prior: LatentPriorSettings) -> LEDiffSettings:
    return replace(COMPACT_LEDIFF, prior=prior, anchor=ANCHOR)


def network(prior: LatentPriorSettings, seed: int = 0) -> LEDiff:
    """Make one with random weights, none of them 0."""
    torch.manual_seed(seed)
    made = build(settings(prior))
    for parameter in made.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return made.eval()
