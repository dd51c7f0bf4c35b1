"""The presets that contract tests run over, with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import nn

from headroom import methods
from headroom.methods.contract import Method, Preset, Verb
from headroom.weights.writer import pack


class Case(NamedTuple):
    """One preset; its network has the same random weights in every test."""

    method: Method
    preset_name: str

    @property
    def preset(self) -> Preset:
        return self.method.presets[self.preset_name]

    @property
    def takes_weights(self) -> bool:
        return self.preset.settings is not None

    @property
    def network(self) -> nn.Module:
        return _network(self.method.id, self.preset_name)

    def write_weights(self, folder: Path) -> Path:
        path = folder / "random.safetensors"
        pack(self.network.state_dict(), path, {})
        return path


@cache
def _network(method_id: str, preset_name: str) -> nn.Module:
    torch.manual_seed(1)
    method = methods.load(method_id)
    network = method.build(method.presets[preset_name].settings)
    deviation = 0.02 if method.verb == "enhance" else 0.1
    for parameter in network.parameters():
        if not parameter.any():  # last layers often begin at zero, which would hide what is before them
            nn.init.normal_(parameter, std=deviation)
    return network.eval()


LARGEST_PARAMETERS = 300_000_000
"""Networks that are larger fit no machine that runs tests; their own tests look at them without memory."""


def cases(verb: Verb, *, slow_parameters: int) -> Sequence[object]:
    """Give every preset of a verb; the larger ones are slow, and those that are larger still are left out."""
    found = []
    for method in map(methods.load, methods.available()):
        for name, preset in method.presets.items() if method.verb == verb else ():
            with torch.device("meta"):
                size = sum(parameter.numel() for parameter in method.build(preset.settings).parameters())
            if size < LARGEST_PARAMETERS:
                marks = [pytest.mark.slow] if size > slow_parameters else []
                found.append(pytest.param(Case(method, name), marks=marks, id=f"{method.id}-{name}"))
    return found
