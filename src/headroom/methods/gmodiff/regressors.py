"""Both regressors by their numbers."""

from __future__ import annotations

from headroom.methods.gmodiff.compact import CompactRegressor
from headroom.methods.gmodiff.dareg import DaReg
from headroom.methods.gmodiff.regressor import Regressor
from headroom.methods.gmodiff.settings import CompactSettings, DaRegSettings


def build_regressor(settings: CompactSettings | DaRegSettings) -> Regressor:
    """Make a regressor with random weights."""
    match settings:
        case CompactSettings(channels, blocks_down, blocks_up, mask_channels):
            return CompactRegressor(channels, blocks_down, blocks_up, mask_channels)
        case DaRegSettings(channels, factors, blocks_down, blocks_up, mask_channels):
            return DaReg(channels, factors, blocks_down, blocks_up, mask_channels)
