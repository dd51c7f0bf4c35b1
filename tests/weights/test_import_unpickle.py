"""Reading pickles as data: what Python's own pickle makes of them, and that none of them runs."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import subprocess
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.weights.unpickle import Call, Name, read_pickle

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers() | st.tuples(st.integers(), st.text())
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)
BYTES_AND_SETS = st.binary() | st.binary().map(bytearray) | st.sets(KEYS) | st.frozensets(KEYS)


def read(content: bytes) -> Any:
    return read_pickle(io.BytesIO(content), lambda identity: identity)


@given(DATA, st.integers(0, 5))
def test_data_are_read_as_pickle_reads_them(data: object, protocol: int) -> None:
    assert read(pickle.dumps(data, protocol)) == data


@given(BYTES_AND_SETS)
def test_bytes_and_sets_are_read_as_pickle_reads_them(data: object) -> None:
    assert read(pickle.dumps(data, 5)) == data


def test_what_is_stored_once_stays_one_thing() -> None:
    shared = [1]
    first, second = read(pickle.dumps([shared, shared], 2))
    assert first is second


def test_the_stream_is_left_behind_the_pickle() -> None:
    stream = io.BytesIO(pickle.dumps("a", 2) + pickle.dumps("b", 4) + b"rest")
    assert [read_pickle(stream, str) for _ in range(2)] == ["a", "b"]
    assert stream.read() == b"rest"


@given(st.binary(max_size=200))
def test_any_bytes_are_data_or_one_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        read(b"\x80\x02" + content)


@pytest.mark.parametrize("cut", range(1, 60, 4))
def test_a_pickle_that_was_cut_off_is_an_error(cut: int) -> None:
    with pytest.raises(ValueError, match="its pickle"):
        read(pickle.dumps({"name": [1, (2.5, "text")], "other": list(range(20))}, 2)[:-cut])


class Reduced:
    """An object that pickles as the call of a function."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


class Callback:
    """A class as a trainer might put into its checkpoints."""

    def __init__(self) -> None:
        self.best = 3.0


@pytest.mark.parametrize("protocol", range(6))
def test_objects_of_other_classes_become_records(protocol: int) -> None:
    found = read(pickle.dumps({"callback": Callback(), "epoch": 3}, protocol))
    assert found["epoch"] == 3
    assert isinstance(found["callback"], Call)


def test_a_call_is_put_down_and_not_made() -> None:
    found = read(pickle.dumps(Reduced(divmod, (1, 0)), 4))
    assert (found.function, found.arguments) == (Name("builtins.divmod"), (1, 0))


def attacks(marker: Path) -> dict[str, bytes]:
    """Return pickles that make the file `marker` when they are run."""
    touch = f"touch {marker}"
    python = f"open({str(marker)!r}, 'w').close()"
    return {
        "system": pickle.dumps(Reduced(os.system, (touch,)), 2),
        "system4": pickle.dumps(Reduced(os.system, (touch,)), 4),
        "eval": pickle.dumps(Reduced(eval, (python,)), 2),
        "exec": pickle.dumps([Reduced(exec, (python,))], 5),
        "popen": pickle.dumps({"a": Reduced(subprocess.Popen, (["touch", str(marker)],))}, 4),
        "key": b"\x80\x02}cposix\nsystem\nX" + len(touch).to_bytes(4, "little") + touch.encode() + b"\x85RK\x01s.",
        "instance": f"(S'{touch}'\nios\nsystem\n.".encode(),
        "object": f"(cos\nsystem\nS'{touch}'\no.".encode(),
        "state": pickle.dumps(Reduced(Callback, (), Reduced(os.system, (touch,))), 2),
    }


ATTACKS = list(attacks(Path("x")))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attacks_are_real(tmp_path: Path, attack: str) -> None:
    try:
        made = pickle.loads(attacks(tmp_path / "marker")[attack])
    except (TypeError, pickle.UnpicklingError):
        made = None  # after it has run
    for process in [made, *(made.values() if isinstance(made, dict) else ())]:
        if isinstance(process, subprocess.Popen):
            process.wait()
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_and_do_not_run(tmp_path: Path, attack: str) -> None:
    with pytest.raises(ValueError, match="which only an attack needs; nothing of it was run"):
        read(attacks(tmp_path / "marker")[attack])
    assert not (tmp_path / "marker").exists()
