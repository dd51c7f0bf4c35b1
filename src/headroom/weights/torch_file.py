"""Find the tensors in a file that `torch.save` wrote, without torch and without running its pickle.

Two formats. Since torch 1.6: a zip archive, uncompressed, with a pickle in `NAME/data.pkl` and the numbers of each
storage in `NAME/data/KEY`. Before: five pickles (a magic number, a version, facts about the machine, the object, the
keys of the storages), and for each key eight bytes with its count of numbers, and these.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NamedTuple, TypedDict

from headroom.weights.unpickle import Call, Name, read_pickle

MOST_PICKLE_BYTES = 64 * 2**20
"""Largest pickle that is read; one of 20,000 tensors has some 4 MiB."""

DTYPE_BYTES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip
"""Types of numbers by their names in torch, and their sizes."""

_DTYPES = {
    "torch.DoubleStorage": "float64", "torch.FloatStorage": "float32", "torch.HalfStorage": "float16",
    "torch.BFloat16Storage": "bfloat16", "torch.LongStorage": "int64", "torch.IntStorage": "int32",
    "torch.ShortStorage": "int16", "torch.CharStorage": "int8", "torch.ByteStorage": "uint8",
    "torch.BoolStorage": "bool",
}  # fmt: skip
_MAGIC = 0x1950A86A20F9469CFC6C
_WRAPPERS = ("state_dict", "model_state_dict", "params_ema", "params")
_MOST_NAMES = 20


class TensorRecord(TypedDict):
    """Where a tensor lies.

    Attributes:
        dtype: Key of `DTYPE_BYTES`.
        storage: First byte of its storage in the file, and the end.
        offset: Its first number in the storage, counted in numbers.
        shape: Its sides.
        stride: From one number to the next along each side, counted in numbers.
    """

    dtype: str
    storage: tuple[int, int]
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


class TorchIndex(NamedTuple):
    """What a file holds.

    Attributes:
        tensors: By name.
        passed_over: Names of what stands beside them, the first twenty.
    """

    tensors: dict[str, TensorRecord]
    passed_over: list[str]


@dataclass(frozen=True, slots=True)
class _Storage:
    """What a pickle says of the numbers that it keeps outside."""

    dtype: str
    key: str


def index(file: IO[bytes]) -> TorchIndex:
    """Return the tensors of the state dict in a file, or of several: `TABLE.NAME` is one in a table of its own.

    Raises:
        ValueError: The file is damaged, of another kind, or holds no tensors by name. Tensors are not checked.
    """
    first = file.read(4)
    file.seek(0)
    program, extents = _read_zip(file) if first == b"PK\x03\x04" else _read_legacy(file)
    state, beside = _state_dict(program)
    tensors: dict[str, TensorRecord] = {}
    for name, value in state.items():
        found = _records(str(name), value, extents)
        if twice := tensors.keys() & found.keys():
            raise ValueError(f"it holds two tensors called {min(twice)[:100]!r}")
        tensors |= found
        if isinstance(name, str) and not found:
            beside.append(name)
    if not tensors:
        raise ValueError("it holds no tensors by name, such as a state dict has them")
    return TorchIndex(tensors, [name[:100] for name in beside[:_MOST_NAMES]])


def _read_zip(file: IO[bytes]) -> tuple[Any, dict[str, tuple[int, int]]]:
    """Return what the pickle of an archive describes, and where each storage lies."""
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        if len(entries) != len(archive.infolist()):
            raise ValueError("its archive holds two files of one name")
    pickles = [name for name in entries if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(pickles) != 1:
        raise ValueError("its archive holds no data.pkl, so torch.save did not write it")
    folder = pickles[0].removesuffix("data.pkl")
    if byteorder := entries.get(f"{folder}byteorder"):
        _check_little_endian(_content(file, byteorder) == b"little")
    program = read_pickle(io.BytesIO(_content(file, entries[pickles[0]])), _storage)
    data = f"{folder}data/"
    return program, {
        name[len(data) :]: _extent(file, entry) for name, entry in entries.items() if name.startswith(data)
    }


def _extent(file: IO[bytes], entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return first byte and end of a file of an archive, which is stored as it is."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size or entry.flag_bits & 1:
        raise ValueError("its archive is compressed or encrypted, which torch.save never does")
    file.seek(entry.header_offset)
    header = file.read(30)  # that ends with the lengths of the name and of what else comes before the content
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise ValueError("its archive is damaged")
    begin = entry.header_offset + 30 + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return begin, begin + entry.file_size


def _content(file: IO[bytes], entry: zipfile.ZipInfo) -> bytes:
    begin, end = _extent(file, entry)
    if end - begin > MOST_PICKLE_BYTES:
        raise ValueError(f"its pickle has {end - begin} bytes, more than the {MOST_PICKLE_BYTES} allowed")
    file.seek(begin)
    return file.read(end - begin)


def _read_legacy(file: IO[bytes]) -> tuple[Any, dict[str, tuple[int, int]]]:
    """Return what the fourth pickle describes, and where each storage lies."""
    dtypes: dict[str, str] = {}

    def note(identity: object) -> _Storage | None:
        if storage := _storage(identity):
            dtypes[storage.key] = storage.dtype
        return storage

    if file.read(2) != b"\x80\x02" or file.seek(0) or read_pickle(file, note) != _MAGIC:
        raise ValueError("it is neither a safetensors file nor one that torch.save wrote")
    _, machine, program, keys = (read_pickle(file, note) for _ in range(4))
    _check_little_endian(isinstance(machine, dict) and machine.get("little_endian") is True)
    extents = {}
    for key in keys:
        begin = file.tell() + 8
        extents[key] = begin, begin + int.from_bytes(file.read(8), "little") * DTYPE_BYTES[dtypes[key]]
        file.seek(extents[key][1])
    return program, extents


def _check_little_endian(little_endian: bool) -> None:
    if not little_endian:
        raise ValueError("its numbers are of a big-endian machine; save it again on another")


def _storage(identity: object) -> _Storage | None:
    """Return what ("storage", its class, its key, a device, its length) says, or None for anything else."""
    match identity:
        case ("storage", Name(kind), str(key), _, int()) | ("storage", Name(kind), str(key), _, int(), None):
            return _Storage(_DTYPES[kind], key) if kind in _DTYPES else None
    return None


def _state_dict(program: object) -> tuple[dict[Any, Any], list[str]]:
    """Return the table of tensors, and the names of what stands beside it in the tables around it."""
    if not isinstance(program, dict):
        kind = program.function.path if isinstance(program, Call) and isinstance(program.function, Name) else "a list"
        raise ValueError(f"it holds no table of tensors but an object ({kind[:100]})")  # noqa: TRY004 - of the file
    table, beside = program, []
    for _ in range(2):  # a trainer's file may hold a table of tables
        inner = next((name for name in _WRAPPERS if isinstance(table.get(name), dict)), None)
        if inner is not None:
            beside += [name for name in table if isinstance(name, str) and name != inner]
            table = table[inner]
    return table, beside


def _records(name: str, value: object, extents: Mapping[str, tuple[int, int]]) -> dict[str, TensorRecord]:
    """Return where a tensor lies, or all those of a table."""
    named = {f"{name}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return {each: record for each, tensor in named.items() if (record := _record(tensor, extents))}


def _record(value: object, extents: Mapping[str, tuple[int, int]]) -> TensorRecord | None:
    """Return where a tensor or a parameter lies, or None for anything else."""
    match value:
        case Call(Name("torch._utils._rebuild_parameter"), (Call() as tensor, *_)) if tensor.function != value.function:
            return _record(tensor, extents)
        case Call(
            Name("torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor"),
            (_Storage(dtype, key), int(offset), tuple(shape), tuple(stride), *_),
        ):
            if key not in extents:
                raise ValueError(f"the numbers of storage {key[:20]!r} are not in it")
            return TensorRecord(dtype=dtype, storage=extents[key], offset=offset, shape=shape, stride=stride)
    return None
