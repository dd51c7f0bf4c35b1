"""Adapters of low rank: a small change of a large network's weights, which is all that is trained and shipped.

Source: Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models", section 4.1. peft adds adapters to layers
in training. In use they are folded into the layers' weights, for which nothing has to be imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from headroom.errors import MissingDependency, WeightsError
from headroom.nn.torchvision_beside_cpu import import_torchvision

_DOWN = re.compile(r"(?P<layer>.+)\.lora_A(?P<adapter>(\.\w+)?)\.weight")
"""peft's name for the matrix to the low rank; the way back is `lora_B`. Files leave the adapter's own name out."""
_WRAPPED = ".base_layer."
"""What peft puts into the names of a layer's own weights."""


def add_adapters(
    network: nn.Module, layers: Sequence[str], *, rank: int, scale: float, trained: Sequence[str] = ()
) -> None:
    """Give layers adapters, which change nothing yet, and let them learn, and nothing else but `trained`.

    Args:
        network: Changed in place; the names of its weights are then peft's, see `folded`.
        layers: Patterns that match whole names of linear layers and convolutions.
        rank: Of the change of each layer's weights.
        scale: What the change is multiplied by.
        trained: Names of modules of which every weight learns as well.

    Raises:
        MissingDependency: peft is not installed.
        ValueError: There is no such layer.
    """
    config = _import_peft().LoraConfig(
        r=rank,
        lora_alpha=scale * rank,  # peft divides by the rank
        target_modules="|".join(f"(?:{pattern})" for pattern in layers),
        init_lora_weights="gaussian",
    )
    network.requires_grad_(requires_grad=False)
    _import_peft().inject_adapter_in_model(config, network)
    for name in trained:
        network.get_submodule(name).requires_grad_(requires_grad=True)


def folded(state: Mapping[str, Tensor], scale: float) -> dict[str, Tensor]:
    """Turn the weights of a network with adapters into those of the same network without any.

    Args:
        state: Weights by peft's names, which are those of layers as well: `X.lora_A.weight`, `X.lora_B.weight` and
            `X.weight` or `X.base_layer.weight`. There may be several adapters of a layer.
        scale: See `add_adapters`.

    Raises:
        WeightsError: A half of an adapter is missing, or its layer, or they do not fit.
    """
    plain = {name.replace(_WRAPPED, "."): value for name, value in state.items() if not _is_adapter(name)}
    for name, down in state.items():
        if found := _DOWN.fullmatch(name):
            weight, up = f"{found['layer']}.weight", f"{found['layer']}.lora_B{found['adapter']}.weight"
            if weight not in plain or up not in state:
                raise WeightsError(f"{name} lacks {up if up not in state else weight}. Give the whole files.")
            plain[weight] = plain[weight] + scale * _product(state[up], down, plain[weight])
    return plain


def adapters_of(state: Mapping[str, Tensor], trained: Sequence[str] = ()) -> dict[str, Tensor]:
    """Choose what a file of adapters holds: them, and the weights of modules that learned as a whole.

    Args:
        state: Weights of a network after `add_adapters`.
        trained: As in `add_adapters`.

    Returns:
        Names as `folded` takes them, over the weights that the adapters were added to.
    """
    whole = tuple(f"{name}." for name in trained)
    return {
        name.replace(".default.", ".").replace(_WRAPPED, "."): value
        for name, value in state.items()
        if _is_adapter(name) or name.startswith(whole)
    }


def _is_adapter(name: str) -> bool:
    return ".lora_A." in name or ".lora_B." in name


def _product(up: Tensor, down: Tensor, weight: Tensor) -> Tensor:
    """Multiply the two halves; of a convolution the way back has 1 x 1 pixels."""
    if up.shape[0] != weight.shape[0] or up.shape[1] != down.shape[0] or down.shape[1:] != weight.shape[1:]:
        shapes = " and ".join(str(tuple(x.shape)) for x in (down, up))
        raise WeightsError(f"an adapter of {shapes} does not fit weights of {tuple(weight.shape)}. Use matching files.")
    return (up.flatten(1) @ down.flatten(1)).view(weight.shape)


def _import_peft() -> Any:  # noqa: ANN401 - its functions are not typed
    if find_spec("torchvision"):
        import_torchvision()  # peft would import it too, and fail beside a torch that it was not made for.
    try:
        return import_module("peft")
    except ImportError as error:
        raise MissingDependency("Training adapters needs peft: pip install 'headroom-hdr[train]'.") from error
