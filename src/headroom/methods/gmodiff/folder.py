"""The paper's refiner: a folder of Stable Diffusion 2.1-base, to which the weights of GMODiff were added.

    unet/, vae/, scheduler/     see `headroom.nn.latent.folder`
    dareg_mask.safetensors      the regressor
    gmodiff.safetensors         adapters and what else the refiner has

`headroom weights import` makes the two files of the released `dareg_mask.pth` and `gmodiff.pkl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from headroom.errors import UsageError, WeightsError
from headroom.methods.gmodiff.adapting import RANK, SCALE, completed
from headroom.methods.gmodiff.refiner import Refiner
from headroom.methods.gmodiff.regressors import build_regressor
from headroom.methods.gmodiff.settings import PAPER_REFINER, CompactSettings, DaRegSettings, RefinerSettings
from headroom.nn.latent.folder import read_prior
from headroom.nn.low_rank import folded
from headroom.weights.reader import load_into, read_state_dict

_REGRESSOR, _REFINER = "dareg_mask.pth", "gmodiff.pkl"


def read_folder(settings: CompactSettings | DaRegSettings | RefinerSettings, folder: Path) -> nn.Module:
    """Read the network of a preset from a folder; see `Method.read_folder`.

    Raises:
        UsageError: The weights of this preset are one file.
        WeightsError: See `read_refiner`.
    """
    if settings != PAPER_REFINER:
        raise UsageError(f"{folder}: is a folder, and only the preset paper of gmodiff is read from one. Give a file.")
    return read_refiner(folder)


def read_refiner(folder: Path, settings: RefinerSettings = PAPER_REFINER) -> Refiner:
    """Read a refiner.

    Args:
        folder: See above.
        settings: Numbers of its regressor; those of its latent prior stand in the folder.

    Raises:
        WeightsError: A file is missing, damaged or for another network.
    """
    paths = [_imported(folder / released) for released in (_REGRESSOR, _REFINER)]
    regressor, own = map(read_state_dict, paths)
    refiner = read_prior(Refiner, folder)
    prior = refiner.state_dict()
    refiner.start(build_regressor(settings.regressor), settings)
    try:
        state = folded(completed(prior | regressor) | own, _scale(own))
    except WeightsError as error:
        raise WeightsError(f"{paths[1]}: does not fit the Stable Diffusion beside it: {error}") from error
    load_into(refiner, state, str(folder))
    return refiner.eval()


def _imported(released: Path) -> Path:
    """Give the file that was made of a released one."""
    path = released.with_suffix(".safetensors")
    if not path.exists():
        source = released if released.exists() else released.name
        raise WeightsError(f"{path}: is not there. Make it of GMODiff's: headroom weights import {source} -o {path}")
    return path


def _scale(state: Mapping[str, Tensor]) -> float:
    """Give what adapters are multiplied by, which like peft's default is over their rank."""
    rank = next((len(value) for name, value in state.items() if name.endswith(".lora_A.weight")), RANK)
    return SCALE * RANK / rank
