"""Checkpoints of others: what they hold, checked, and one tensor of it at a time.

Neither kind of file is loaded: of safetensors the header is read, of what `torch.save` wrote an index that a process of
its own finds (`import_child`). So the largest checkpoint takes the memory of its largest tensor.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.limits import LIMITS
from headroom.weights import import_child
from headroom.weights.header import MOST_DIMENSIONS, are_sizes, tensor_entries
from headroom.weights.torch_file import DTYPE_BYTES

_SAFETENSORS_DTYPES = {"F16": "float16", "BF16": "bfloat16", "F32": "float32", "I64": "int64"}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where a tensor lies in a file, within the file's size.

    Attributes:
        dtype: Type of its numbers.
        begin: Byte of its first number.
        shape: Its sides.
        stride: From one number to the next along each side, counted in numbers.
    """

    dtype: torch.dtype
    begin: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def span(self) -> int:
        """Numbers from the first to the last, both included."""
        return 1 + _last(self.shape, self.stride) if math.prod(self.shape) else 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file whose tensors are known but not read.

    Attributes:
        path: The file.
        tensors: Where each tensor lies, by name.
        passed_over: Names of what else the file holds; the first twenty.
    """

    path: Path
    tensors: Mapping[str, StoredTensor]
    passed_over: tuple[str, ...]

    def read(self, name: str) -> Tensor:
        """Read one tensor.

        Raises:
            WeightsError: The file cannot be read, or has become shorter.
        """
        stored = self.tensors[name]
        size = stored.span * stored.dtype.itemsize
        try:
            with self.path.open("rb") as file:
                file.seek(stored.begin)
                content = bytearray(file.read(size))
        except OSError as error:
            raise WeightsError(f"{self.path}: cannot be read ({error.strerror}). Check the disk.") from error
        if len(content) != size:
            raise WeightsError(f"{self.path}: became shorter while it was read. Import it again.")
        if not content:
            return torch.empty(stored.shape, dtype=stored.dtype)
        if stored.dtype == torch.bool:
            return torch.frombuffer(content, dtype=torch.uint8).as_strided(stored.shape, stored.stride) != 0
        return torch.frombuffer(content, dtype=stored.dtype).as_strided(stored.shape, stored.stride)

    def sha256(self) -> str:
        """Return the hash of the whole file, lower-case hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def open_checkpoint(path: Path) -> Checkpoint:
    """Find the tensors of a safetensors file, or of one that `torch.save` wrote, without running anything in it.

    Raises:
        WeightsError: The file is missing, too large, of another kind, damaged or hostile.
    """
    try:
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file. Give the path of a checkpoint.")
        file_bytes = path.stat().st_size
        if file_bytes > LIMITS.weights_bytes:
            raise ValueError(f"it has {file_bytes} bytes, more than the {LIMITS.weights_bytes} allowed")
        if _is_safetensors(path):
            return Checkpoint(path, _checked(dict(_safetensors_records(path)), file_bytes), ())
        found = import_child.run(path)
        return Checkpoint(path, _checked(found["tensors"], file_bytes), tuple(map(str, found["passed_over"])))
    except ValueError as error:
        raise WeightsError(
            f"{path}: this checkpoint is refused: {error}. Get it again, from a source that you trust."
        ) from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error}). Check the path.") from error


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def _safetensors_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    entries, start = tensor_entries(path)
    for name, entry in entries.items():
        shape, (begin, end) = entry["shape"], entry["data_offsets"]
        stride = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        record = {"dtype": _SAFETENSORS_DTYPES[entry["dtype"]], "storage": [start + begin, start + end]}
        yield name, record | {"offset": 0, "shape": shape, "stride": stride}


def _checked(records: Mapping[str, Any], file_bytes: int) -> dict[str, StoredTensor]:
    """Return the places of tensors that all lie inside their storages, and these in the file."""
    if len(records) > LIMITS.weights_tensors:
        raise ValueError(f"it lists {len(records)} tensors, more than the {LIMITS.weights_tensors} allowed")
    stored = {name: _place(name, file_bytes, **record) for name, record in records.items()}
    total = sum(math.prod(each.shape) * each.dtype.itemsize for each in stored.values())
    if total > LIMITS.weights_bytes:
        raise ValueError(f"its tensors take {total} bytes, more than the {LIMITS.weights_bytes} allowed")
    return stored


def _place(
    name: str, file_bytes: int, *, dtype: str, storage: list[int], offset: int, shape: list[int], stride: list[int]
) -> StoredTensor:
    if not all(map(are_sizes, (storage, [offset], shape, stride))) or not len(shape) == len(stride) <= MOST_DIMENSIONS:
        raise ValueError(f"tensor {name[:100]!r} has no valid shape of at most {MOST_DIMENSIONS} dimensions")
    (begin, end), number_bytes = storage, DTYPE_BYTES[dtype]
    if not begin <= end <= file_bytes:
        raise ValueError(f"the numbers of tensor {name[:100]!r} go on after the file's end, so it was cut off")
    capacity, count = (end - begin) // number_bytes, math.prod(shape)
    if count and (offset + _last(shape, stride) >= capacity or count > capacity):
        raise ValueError(f"tensor {name[:100]!r} is larger than the {capacity} numbers stored for it")
    return StoredTensor(getattr(torch, dtype), begin + offset * number_bytes, tuple(shape), tuple(stride))


def _last(shape: list[int] | tuple[int, ...], stride: list[int] | tuple[int, ...]) -> int:
    """Return how far the last number of a tensor that has any lies from the first, counted in numbers."""
    return sum((side - 1) * step for side, step in zip(shape, stride, strict=True))
