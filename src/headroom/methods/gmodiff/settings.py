"""The numbers of each preset."""

from __future__ import annotations

from dataclasses import dataclass, field

from headroom.nn.gain_network import GainNetworkSettings
from headroom.nn.latent.settings import COMPACT, STABLE_DIFFUSION_2, LatentPriorSettings


@dataclass(frozen=True, slots=True)
class CompactSettings:
    """Numbers of the compact regressor; see `CompactRegressor`."""

    channels: tuple[int, ...] = (32, 48, 64, 96)
    blocks_down: tuple[int, ...] = (1, 1, 1)
    blocks_up: tuple[int, ...] = (1, 1, 2)
    mask_channels: int = 8


@dataclass(frozen=True, slots=True)
class DaRegSettings:
    """Numbers of the paper's regressor; see `DaReg`."""

    channels: tuple[int, ...] = (64, 128, 256, 512, 1024)
    factors: tuple[int, ...] = (2, 2, 2, 4)
    blocks_down: tuple[int, ...] = (2, 4, 4, 8)
    blocks_up: tuple[int, ...] = (2, 2, 2, 2)
    mask_channels: int = 16


@dataclass(frozen=True, slots=True)
class RefinerSettings:
    """Numbers of a refiner.

    Attributes:
        regressor: Of its regressor.
        prior: Of its latent prior.
        reduction: How many times smaller than the frames the pictures are that the prior sees.
        keeps_map: True where the regressed map stays and gets a change, as far as it is in doubt; the paper's is
            painted anew.
        guided: False for the ablation without tokens and without doubt.
        expecting: Of the network that tells what light the reference alone lets one expect, where the map is kept.
    """

    regressor: CompactSettings | DaRegSettings
    prior: LatentPriorSettings
    reduction: int = 1
    keeps_map: bool = False
    guided: bool = True
    expecting: GainNetworkSettings = field(default_factory=GainNetworkSettings)


COMPACT_REFINER = RefinerSettings(CompactSettings(), COMPACT, reduction=2, keeps_map=True)
"""On the prior that ships, which softens pictures: so it sees them at half their size and changes little."""

PAPER_REFINER = RefinerSettings(DaRegSettings(), STABLE_DIFFUSION_2)
"""The released network."""
