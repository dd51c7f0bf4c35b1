"""Checkpoints that are whole or absent: safetensors and JSON in a folder that appears by one rename.

    checkpoints/step-00001000/
      network.safetensors     weights and buffers
      average.safetensors     the same of the averaged network
      optimiser.safetensors   `<index of the parameter>.<name of the state>`
      state.json              number of steps done, and the time they took

Learning rate, data and random numbers of a step are functions of the recipe and the step: nothing else is needed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from headroom.errors import OutputError, WeightsError
from headroom.files import atomic_path, write_atomically
from headroom.weights.reader import load_into, read_state_dict

KEPT = 2
"""Checkpoints that stay: should the newest be damaged by the disk, the one before is there."""

_NAME = re.compile(r"step-\d{8,}")


class Reached(BaseModel):
    """How far a run is.

    Attributes:
        step: Number of steps done.
        seconds: Time spent on these steps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    step: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Trained:
    """Everything that training changes."""

    network: nn.Module
    average: AveragedModel
    optimiser: Optimizer


def save_checkpoint(folder: Path, trained: Trained, reached: Reached) -> None:
    """Write a checkpoint beside the older ones, then drop all but the newest two.

    Args:
        folder: The run's folder of checkpoints; made when missing.
        trained: What is saved.
        reached: How far the run is.

    Raises:
        OutputError: The folder cannot be written; older checkpoints are untouched.
    """
    target = folder / f"step-{reached.step:08d}"
    if target.exists():
        return
    part = folder / f".{target.name}.{secrets.token_hex(4)}.part"
    try:
        part.mkdir(parents=True)
        _write(part, trained, reached)
        _sync(part)
        part.rename(target)
        _sync(folder)
        _sweep(folder)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error}). Free some space there.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def latest_checkpoint(folder: Path) -> Path | None:
    """Give the newest checkpoint of a run, or None before the first."""
    return max(_whole(folder), key=_step, default=None)


def load_checkpoint(path: Path, trained: Trained) -> Reached:
    """Bring networks and optimiser into the state of a checkpoint.

    Raises:
        WeightsError: The checkpoint is damaged, or belongs to another network.
    """
    try:
        reached = Reached.model_validate_json((path / "state.json").read_bytes())
        _load(trained.network, path / "network.safetensors")
        _load(trained.average.module, path / "average.safetensors")
        _load_optimiser(trained.optimiser, read_state_dict(path / "optimiser.safetensors"))
    except (OSError, ValidationError, WeightsError) as error:
        raise WeightsError(
            f"{path}: cannot be resumed from ({error}). Delete this folder to go on from the checkpoint before it."
        ) from error
    trained.average.n_averaged.fill_(reached.step)
    return reached


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors as they are, atomically.

    Raises:
        OutputError: The file cannot be written.
    """
    # The copy unties tensors that share storage, which the format refuses.
    copies = {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}
    try:
        with atomic_path(path) as temporary:
            save_file(copies, temporary, dict(metadata or {}))
    except SafetensorError as error:  # The library's own form of a full disk or a missing folder.
        raise OutputError(f"{path}: cannot be written ({error}). Check the folder and its free space.") from error


def _write(folder: Path, trained: Trained, reached: Reached) -> None:
    save_tensors(folder / "network.safetensors", trained.network.state_dict())
    save_tensors(folder / "average.safetensors", trained.average.module.state_dict())
    states = trained.optimiser.state_dict()["state"]
    save_tensors(
        folder / "optimiser.safetensors",
        {f"{index}.{name}": value for index, state in states.items() for name, value in state.items()},
    )
    write_atomically(folder / "state.json", reached.model_dump_json(indent=2).encode())


def _load(network: nn.Module, path: Path) -> None:
    load_into(network, read_state_dict(path), str(path))


def _load_optimiser(optimiser: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Restore the moments in the memory layout of their parameters, without which sums may round differently."""
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        if not index.isdecimal() or int(index) >= len(parameters):
            raise WeightsError(f"the optimiser has no parameter {index}")
        like = parameters[int(index)].detach()
        if value.ndim and value.shape != like.shape:
            raise WeightsError(f"{key} is {tuple(value.shape)} instead of {tuple(like.shape)}")
        states.setdefault(int(index), {})[name] = torch.empty_like(like).copy_(value) if value.ndim else value
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})


def _whole(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []


def _step(path: Path) -> int:
    return int(path.name.removeprefix("step-"))


def _sweep(folder: Path) -> None:
    """Remove checkpoints past their time, and what a killed run left half written or half removed."""
    for path in sorted(_whole(folder), key=_step)[:-KEPT]:
        path.rename(path.with_name(f".{path.name}.part"))  # A half removed folder must not look like a checkpoint.
    for path in folder.glob(".*.part"):
        shutil.rmtree(path, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make a folder's entries survive a power cut; a system without this for folders does it by itself."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
