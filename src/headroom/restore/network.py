"""Building a method's network and giving it its weights, once for many photos."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from headroom.errors import UsageError, WeightsError
from headroom.methods import load
from headroom.methods.contract import Method, Preset, Verb
from headroom.weights import catalogue
from headroom.weights.reader import load_into, read_state_dict


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network that is ready to run.

    Attributes:
        method: Its method.
        preset: Its preset.
        preset_name: Name of that preset.
        network: In evaluation mode, on its device.
        weights_sha256: Hash of its weights file, or of its files one after the other, those of a folder by their
            paths; None without weights.
    """

    method: Method[Any]
    preset: Preset
    preset_name: str
    network: nn.Module
    weights_sha256: str | None


def choose_preset(method_id: str, preset_name: str | None, *verbs: Verb) -> tuple[Method[Any], str]:
    """Import a method, which has to be there for one of the verbs, and settle its preset.

    Raises:
        UsageError: There is no such method or preset.
    """
    method = load(method_id, *verbs)
    name = preset_name or method.default_preset
    if name not in method.presets:
        raise UsageError(f"{method.id} has no preset {name!r}; it has {', '.join(method.presets)}.")
    return method, name


@functools.lru_cache(maxsize=2)
def load_network(method_id: str, preset_name: str, weights: Path | None, device: torch.device) -> Loaded:
    """Build a network and load its weights: those of `weights`, a file or a folder, or the ones that ship.

    Raises:
        UsageError: There is no such method or preset, or it takes no weights.
        WeightsError: There are no weights, or they are damaged or made for another network.
    """
    method, name = choose_preset(method_id, preset_name)
    preset = method.presets[name]
    if preset.settings is None:
        if weights:
            raise UsageError(f"{method.id} {name} has no network, so {weights} means nothing to it. Leave weights out.")
        return Loaded(method, preset, name, method.build(None), None)
    if weights is None and not preset.weights:
        usual = method.default_preset
        other = f", or use the preset {usual}" if method.presets[usual].weights else ""
        raise WeightsError(f"No weights ship for {method.id} {name}. Give a safetensors file of it{other}.")
    if weights and weights.is_dir():
        network = _from_folder(method, name, weights)
        files = sorted(weights.rglob("*.safetensors"))
        return Loaded(method, preset, name, network.eval().to(device), _sha256(files))
    paths = [weights] if weights else [catalogue.verify(each) for each in preset.weights]
    network = method.build(preset.settings)
    state = {key: value for path in paths for key, value in read_state_dict(path).items()}
    load_into(network, method.own_names(state), ", ".join(map(str, paths)))
    return Loaded(method, preset, name, network.eval().to(device), _sha256(paths))


def _from_folder(method: Method[Any], preset_name: str, folder: Path) -> nn.Module:
    if method.read_folder is None:
        raise UsageError(f"{folder}: is a folder, and {method.id} {preset_name} takes a safetensors file. Give a file.")
    return method.read_folder(method.presets[preset_name].settings, folder)


def _sha256(paths: Sequence[Path]) -> str:
    """Hash files one after the other; of a single file it is the file's own hash."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as handle:
            hashlib.file_digest(handle, lambda: digest)
    return digest.hexdigest()
