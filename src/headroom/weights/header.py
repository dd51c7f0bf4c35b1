"""Check a safetensors file's header before any tensor of it is read.

A file is eight bytes (little-endian size of the header), the header (a JSON object: tensor name -> dtype, shape and
byte range, and `__metadata__`), and the tensors' bytes, without gaps. Format: huggingface/safetensors, README.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from headroom.errors import WeightsError
from headroom.limits import LIMITS

METADATA_KEY = "__metadata__"

DTYPE_BYTES = {"F16": 2, "BF16": 2, "F32": 4, "I64": 8}
# No network here has more; the bound keeps the product of a hostile shape from becoming a number of megabytes.
MOST_DIMENSIONS = 8


class _FlawError(Exception):
    """What is wrong with a file, without its name."""


def check_header(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file whose header is consistent with its size and with the limits.

    Raises:
        WeightsError: The file is missing, too large, not safetensors, or its header is damaged or hostile.
    """
    return _checked(path)[0]


def tensor_entries(path: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the checked entries of a file's tensors by name, and the byte that their ranges count from.

    Raises:
        WeightsError: As `check_header`.
    """
    _, entries, data_bytes = _checked(path)
    return entries, path.stat().st_size - data_bytes


def _checked(path: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]], int]:
    """Return metadata, entries and the number of bytes of the data."""
    try:
        header, data_bytes = _read_json(path)
        metadata = _metadata(header.pop(METADATA_KEY, {}))
        if len(header) > LIMITS.weights_tensors:
            raise _FlawError(f"it lists {len(header)} tensors, more than the {LIMITS.weights_tensors} allowed")
        _check_ranges([_byte_range(name, entry) for name, entry in header.items()], data_bytes)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: there is no such file. Give the path of a .safetensors file.") from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error}). Check the path.") from error
    except _FlawError as flaw:
        message = f"{path}: these weights are refused: {flaw}. Get the file again from where it came from."
        raise WeightsError(message) from flaw
    return metadata, header, data_bytes


def _read_json(path: Path) -> tuple[dict[str, Any], int]:
    """Return the parsed header and the number of bytes that follow it."""
    with path.open("rb") as handle:
        file_bytes = handle.seek(0, 2)
        handle.seek(0)
        header_bytes = int.from_bytes(handle.read(8), "little")
        if file_bytes > LIMITS.weights_bytes:
            raise _FlawError(f"it has {file_bytes} bytes, more than the {LIMITS.weights_bytes} allowed")
        if header_bytes > LIMITS.weights_header_bytes:
            raise _FlawError(f"its header of {header_bytes} bytes is over the {LIMITS.weights_header_bytes} allowed")
        if file_bytes < 8 + header_bytes:
            raise _FlawError(f"it ends after {file_bytes} bytes, inside its header of {header_bytes}")
        text = handle.read(header_bytes)
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _FlawError("its header is not JSON, so it is not a safetensors file") from error
    if not isinstance(header, dict):
        raise _FlawError("its header is not a JSON object")
    return header, file_bytes - 8 - header_bytes


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object whose keys occur once; two parsers may choose differently between repeated ones."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _FlawError("its header names a key twice")
    return result


def _metadata(entry: object) -> dict[str, str]:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise _FlawError("its metadata are not a table of strings")
    return entry


def _byte_range(name: str, entry: object) -> tuple[int, int, str]:
    """Return first byte, end and name of a tensor whose range has the size that its dtype and shape ask for."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _FlawError(f"tensor {name!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise _FlawError(f"tensor {name!r} is of type {str(dtype)[:20]!r}; allowed are {', '.join(DTYPE_BYTES)}")
    if not are_sizes(shape) or len(shape) > MOST_DIMENSIONS:
        raise _FlawError(f"tensor {name!r} has no valid shape of at most {MOST_DIMENSIONS} dimensions")
    if not are_sizes(offsets) or len(offsets) != 2:
        raise _FlawError(f"tensor {name!r} has no valid byte range")
    begin, end = offsets
    if end - begin != math.prod(shape) * DTYPE_BYTES[dtype]:
        raise _FlawError(f"tensor {name!r} has a byte range that does not fit its shape")
    return begin, end, name


def are_sizes(value: object) -> bool:
    """Tell whether a JSON value is a list of numbers from 0 to 2^63 - 1; `true` is not one."""
    return isinstance(value, list) and all(type(number) is int and 0 <= number < 2**63 for number in value)


def _check_ranges(ranges: list[tuple[int, int, str]], data_bytes: int) -> None:
    """Check that the tensors cover the data from first to last byte, once."""
    covered = 0
    for begin, end, name in sorted(ranges):
        if begin != covered:
            kind = "overlaps another one" if begin < covered else "follows a gap"
            raise _FlawError(f"tensor {name!r} {kind}")
        covered = end
    if covered != data_bytes:
        raise _FlawError(f"its tensors cover {covered} bytes, but {data_bytes} follow the header")
