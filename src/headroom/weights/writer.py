"""Write the float16 safetensors files that ship."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.files import write_atomically
from headroom.weights.header import METADATA_KEY


def pack(state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write `state` with float16 in place of every float, atomically; equal input gives equal bytes.

    Raises:
        WeightsError: A value is not finite, or too large for float16.
        OutputError: The file cannot be written.
    """
    packed = {name: _half(name, value) for name, value in state.items()}
    write_atomically(path, _with_metadata(safetensors.torch.save(packed), metadata))


def _half(name: str, value: Tensor) -> Tensor:
    # The copy also unties tensors that share storage, which the format refuses.
    narrow = value.detach().to("cpu", torch.float16 if value.is_floating_point() else value.dtype, copy=True)
    if not torch.isfinite(narrow).all():
        raise WeightsError(f"{name} holds values beyond float16 (65504) or not finite. Train at a lower rate.")
    return narrow.contiguous()


def _with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Put sorted metadata into a safetensors file; the library itself writes them in random order."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = {METADATA_KEY: dict(sorted(metadata.items())), **json.loads(content[8:start])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # The data stay aligned to 8 bytes.
    return len(text).to_bytes(8, "little") + text + content[start:]
