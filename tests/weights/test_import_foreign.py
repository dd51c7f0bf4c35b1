"""Opening checkpoints of others: what torch saved is what is read, and hostile files get one error."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from headroom.errors import WeightsError
from headroom.weights import import_child
from headroom.weights.foreign import open_checkpoint


class Callback:
    """A class as a trainer might put into its checkpoints."""

    def __init__(self) -> None:
        self.best = torch.ones(3)


def tensors() -> dict[str, Tensor]:
    base = torch.arange(24.0).reshape(4, 6)
    convolution = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict()
    kinds = (torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.uint8, torch.bool)
    return {
        **convolution,
        **{str(kind): torch.tensor([[0.0, 1.0], [1.0, 1.0]]).to(kind) for kind in kinds},
        "turned": base.T,
        "part": base[1:3, 2:],
        "parameter": nn.Parameter(torch.ones(2)),
        "number": torch.tensor(3.0),
        "empty": torch.empty(0, 3),
    }


WRAPPERS: list[Callable[[Any], Any]] = [
    lambda state: state,
    OrderedDict,
    lambda state: {"state_dict": state, "epoch": 3, "callbacks": {Callback: Callback()}, "optimizer_states": [state]},
    lambda state: {"model_state_dict": state, "optimizer_state_dict": {"state": {0: torch.zeros(5).double()}}},
    lambda state: {"params_ema": state, "params": {"other": torch.zeros(1)}},
]


@pytest.mark.parametrize("in_zip", [True, False])
@pytest.mark.parametrize("wrap", WRAPPERS)
def test_every_tensor_is_the_one_that_was_saved(tmp_path: Path, wrap: Callable[[Any], Any], in_zip: bool) -> None:
    state = tensors()
    torch.save(wrap(state), tmp_path / "a.ckpt", _use_new_zipfile_serialization=in_zip)
    checkpoint = open_checkpoint(tmp_path / "a.ckpt")
    assert checkpoint.tensors.keys() == state.keys()
    for name, value in state.items():
        read = checkpoint.read(name)
        assert read.dtype == value.dtype
        assert torch.equal(read, value)


def test_what_stands_beside_the_tensors_is_named(tmp_path: Path) -> None:
    state = {"weight": torch.ones(2), "version": 3}
    torch.save({"epoch": 3, "state_dict": state, "callbacks": Callback()}, tmp_path / "a.ckpt")
    assert open_checkpoint(tmp_path / "a.ckpt").passed_over == ("epoch", "callbacks", "version")


@pytest.mark.parametrize("in_zip", [True, False])
def test_tensors_of_several_tables_have_both_names(tmp_path: Path, in_zip: bool) -> None:
    tables = {
        "unet": {"a.weight": torch.ones(2), "lists": ["a"]},
        "proj": OrderedDict(weight=torch.zeros(3)),
        "rank": 4,
    }
    torch.save({**tables, "optimizer": {"state": {0: {"moment": torch.ones(2)}}}}, tmp_path / "a.pkl",
               _use_new_zipfile_serialization=in_zip)  # fmt: skip
    checkpoint = open_checkpoint(tmp_path / "a.pkl")
    assert checkpoint.tensors.keys() == {"unet.a.weight", "proj.weight"}
    assert torch.equal(checkpoint.read("unet.a.weight"), torch.ones(2))
    assert checkpoint.passed_over == ("rank", "optimizer")


def test_safetensors_are_read_in_place(tmp_path: Path) -> None:
    state = {name: value.detach().contiguous() for name, value in tensors().items()}
    state = {name: value.clone() for name, value in state.items() if value.dtype.itemsize in (2, 4) or "num" in name}
    state = {name: value for name, value in state.items() if value.dtype != torch.int32}
    save_file(state, tmp_path / "a.safetensors")
    checkpoint = open_checkpoint(tmp_path / "a.safetensors")
    assert checkpoint.tensors.keys() == state.keys()
    assert all(torch.equal(checkpoint.read(name), value) for name, value in state.items())


def saved(state: object) -> bytes:
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


def archive(program: bytes, *, compression: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    """Return a file like torch's with this pickle and one storage of four numbers."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as target:
        target.writestr("a/data.pkl", program)
        target.writestr("a/data/0", bytes(16))
        for name, data in more.items():
            target.writestr(name, data)
    return content.getvalue()


class _Storage:
    """Pickles as a storage of the archive's numbers."""


def tensor_pickle(offset: object, shape: object, stride: object, key: str = "0") -> bytes:
    """Return the pickle of a state dict with one tensor, `w`, that says this of itself."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: object) -> object:
            return ("storage", torch.FloatStorage, key, "cpu", 4) if isinstance(thing, _Storage) else None

    class Described:
        def __reduce__(self) -> Any:
            return torch._utils._rebuild_tensor_v2, (_Storage(), offset, shape, stride, False, OrderedDict())

    content = io.BytesIO()
    Pickler(content, 2).dump({"w": Described()})
    return content.getvalue()


def nested(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def deep_key(depth: int) -> bytes:
    """Return a table whose key takes a recursion of this depth to hash, which no stack has."""
    return b"\x80\x02})" + b"\x85" * depth + b"K\x01s."


HONEST = tensor_pickle(0, (2, 2), (2, 1))
HOSTILE: dict[str, tuple[bytes, str]] = {
    "not ours": (b"GIF89a and so on", "neither a safetensors file nor one that torch.save wrote"),
    "empty": (b"", "neither a safetensors file nor one that torch.save wrote"),
    "cut zip": (saved({"w": torch.ones(500)})[:-100], "is damaged"),
    "cut pickle": (archive(HONEST[:40]), "pickle"),
    "other zip": (saved({"w": torch.ones(5)}).replace(b"data.pkl", b"code.pkl"), "holds no data.pkl"),
    "compressed": (archive(HONEST, compression=zipfile.ZIP_DEFLATED), "compressed or encrypted"),
    "bomb": (archive(bytes(10**8), compression=zipfile.ZIP_DEFLATED), "compressed or encrypted"),
    "big endian": (archive(HONEST, **{"a/byteorder": b"big"}), "big-endian"),
    "two archives": (archive(HONEST, **{"b/data.pkl": HONEST}), "holds no data.pkl"),
    "outside": (archive(tensor_pickle(0, (1,), (1,), "../../../etc/passwd")), "are not in it"),
    "absent": (archive(tensor_pickle(0, (1,), (1,), "1")), "are not in it"),
    "offset": (archive(tensor_pickle(1, (2, 2), (2, 1))), "larger than the 4 numbers"),
    "negative offset": (archive(tensor_pickle(-1, (2,), (1,))), "no valid shape"),
    "stride": (archive(tensor_pickle(0, (2, 2), (3, 1))), "larger than the 4 numbers"),
    "negative stride": (archive(tensor_pickle(3, (2,), (-1,))), "no valid shape"),
    "repeated": (archive(tensor_pickle(0, (2**40,), (0,))), "larger than the 4 numbers"),
    "overflow": (archive(tensor_pickle(0, (2**32, 2**32), (2**62, 2**62))), "larger than the 4 numbers"),
    "enormous": (archive(tensor_pickle(0, (10**5000,), (1,))), "[Ll]imit|digits"),
    "not numbers": (archive(tensor_pickle(0, ("a",), (None,))), "no valid shape"),
    "uneven": (archive(tensor_pickle(0, (2, 2), (1,))), "no valid shape"),
    "dimensions": (archive(tensor_pickle(0, (1,) * 9, (1,) * 9)), "no valid shape"),
    "no tensors": (saved({"epoch": 3}), "holds no tensors by name"),
    "one name": (saved({"a": {"b": torch.ones(2)}, "a.b": torch.ones(2)}), "holds two tensors called 'a.b'"),
    "a number's name": (saved({1: torch.ones(2), "1": torch.ones(2)}), "holds two tensors called '1'"),
    "a list": (saved([torch.ones(2)]), "holds no table of tensors"),
    "an object": (saved(Callback()), "an object .*Callback"),
    "itself": (archive(b"\x80\x02}q\0X\x0a\0\0\0state_dicth\0s."), "holds no tensors by name"),
    "nested": (archive(nested(30_000)), "holds no table of tensors"),
    "deep key": (archive(deep_key(200_000)), "status -11|damaged"),
    "claims": (b"\x80\x02\x8b\xff\xff\xff\x7f" + bytes(100), "damaged|memory"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_get_one_error(tmp_path: Path, kind: str) -> None:
    content, message = HOSTILE[kind]
    path = tmp_path / "hostile.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"hostile\.pth: this checkpoint is refused: .*({message}).*trust\.$"):
        open_checkpoint(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_pickle_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pth"
    path.write_bytes(archive(b"\x80\x02" + b"]" * 500_000))
    with pytest.raises(ValueError, match="more memory than is allowed"):
        import_child.run(path, memory_bytes=40 * 2**20)


def test_a_pickle_that_takes_for_ever_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hostile.pth"
    path.write_bytes(archive(b"\x80\x02" + b"N0" * 5_000_000))
    with pytest.raises(ValueError, match="takes more than 1 s"):
        import_child.run(path, seconds=1)


def test_a_checkpoint_that_attacks_beside_good_tensors_is_refused(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'marker'}",)

    for in_zip in (True, False):
        path = tmp_path / "hostile.pth"
        torch.save({"state_dict": tensors(), "hook": Attack()}, path, _use_new_zipfile_serialization=in_zip)
        with pytest.raises(WeightsError, match=r"names (posix|nt)\.system, which only an attack needs"):
            open_checkpoint(path)
        assert list(tmp_path.iterdir()) == [path]


def test_folders_and_absent_files_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.pth"):
        with pytest.raises(WeightsError, match="there is no such file"):
            open_checkpoint(path)


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"w": torch.ones(1000)}, path)
    checkpoint = open_checkpoint(path)
    os.truncate(path, 500)
    with pytest.raises(WeightsError, match="became shorter"):
        checkpoint.read("w")
