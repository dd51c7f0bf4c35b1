"""Write safetensors files: those that ship, in float16, and large ones tensor by tensor."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.files import atomic_path, write_atomically
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


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """A tensor that is made when its turn comes to be written.

    Attributes:
        dtype: One of `_DTYPES`.
        shape: Its sides.
        make: Returns it.
    """

    dtype: torch.dtype
    shape: tuple[int, ...]
    make: Callable[[], Tensor]

    @property
    def size_bytes(self) -> int:
        """Bytes of its numbers."""
        return math.prod(self.shape) * self.dtype.itemsize


def write_one_by_one(tensors: Mapping[str, PlannedTensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write tensors of any size, holding one at a time, atomically; equal input gives equal bytes.

    Raises:
        OutputError: The file cannot be written.
    """
    # The widest numbers first, so that each tensor begins at a multiple of what its numbers take.
    ordered = dict(sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
    entries, end = {}, 0
    for name, tensor in ordered.items():
        begin, end = end, end + tensor.size_bytes
        entries[name] = {"dtype": _DTYPES[tensor.dtype], "shape": tensor.shape, "data_offsets": [begin, end]}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(_header(entries, metadata))
        for tensor in ordered.values():
            numbers = tensor.make().to(tensor.dtype).contiguous()
            file.write(numbers.reshape(-1).view(torch.uint8).numpy().data)


_DTYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32", torch.int64: "I64"}


def _with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Put sorted metadata into a safetensors file; the library itself writes them in random order."""
    start = 8 + int.from_bytes(content[:8], "little")
    return _header(json.loads(content[8:start]), metadata) + content[start:]


def _header(entries: Mapping[str, object], metadata: Mapping[str, str]) -> bytes:
    text = json.dumps({METADATA_KEY: dict(sorted(metadata.items())), **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # The data stay aligned to 8 bytes.
    return len(text).to_bytes(8, "little") + text
