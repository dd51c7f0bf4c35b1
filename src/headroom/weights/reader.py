"""Read safetensors files and load them into networks, strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from headroom.errors import WeightsError
from headroom.weights.header import check_header

_MOST_NAMED_KEYS = 10


def read_state_dict(path: Path, *, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """Read every tensor of a safetensors file; half-precision ones become float32.

    Raises:
        WeightsError: The file is missing, damaged, hostile or holds a value that is not finite.
    """
    check_header(path)
    try:
        stored = safetensors.torch.load_file(path, device=str(device))
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: these weights cannot be read ({error}). Get the file again.") from error
    state = {name: value.float() if value.is_floating_point() else value for name, value in stored.items()}
    broken = [name for name, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise WeightsError(f"{path}: {name_some(broken)} not finite. Use weights of a training that ended well.")
    return state


def load_into(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Copy `state` into `network` when every key and shape fits; otherwise leave the network as it is.

    Args:
        network: Receives the values.
        state: Tensors by the network's own key names.
        name: What the weights are called, for the message.

    Raises:
        WeightsError: Keys are missing, unexpected or of another shape; at most ten of them are named.
    """
    own = network.state_dict()
    problems = [f"{key} is missing" for key in own if key not in state]
    problems += [f"{key} is unexpected" for key in state if key not in own]
    problems += [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if problems:
        raise WeightsError(f"{name}: made for another network: {name_some(problems)}. Choose matching weights.")
    network.load_state_dict(state)


def without_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the part of a whole model's state below `prefix`, or all of it when no key starts with that."""
    part = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    return part or dict(state)


def name_some(items: list[str]) -> str:
    """Join the first ten of `items` for a message and count the rest."""
    rest = len(items) - _MOST_NAMED_KEYS
    return "; ".join(items[:_MOST_NAMED_KEYS]) + (f"; and {rest} more" if rest > 0 else "")
