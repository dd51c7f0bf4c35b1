"""Hostile and damaged safetensors files; the same attacks as in safetensors' own `attacks/` folder and more."""

import json

import pytest
import torch
from safetensors.torch import save

from headroom.errors import WeightsError
from headroom.limits import LIMITS
from headroom.weights.header import check_header

A = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
B = {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]}


def stored(header, data_bytes, *, claimed=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if claimed is None else claimed).to_bytes(8, "little") + text + bytes(data_bytes)


HOSTILE = {
    "empty file": (b"", "inside its header|not JSON"),
    "shorter than the size field": (b"\x05\x00", "inside its header"),
    "header beyond the end": (stored({}, 0, claimed=100), "ends after"),
    "giant header": (stored({}, 0, claimed=2**63), "allowed"),
    "not JSON": (stored(b"\x80\x04pickle", 0), "not JSON"),
    "UTF-16": (stored('{"a":1}'.encode("utf-16"), 0), "not JSON"),
    "nested": (stored(b'{"a":' + b"[" * 200_000, 0), "not JSON"),
    "a list": (stored([A], 8), "not a JSON object"),
    "a number": (stored({"a": 3}, 8), "not described"),
    "unknown field": (stored({"a": {**A, "code": "x"}}, 8), "not described"),
    "repeated key": (stored(b'{"a":%b,"a":%b}' % ((json.dumps(A).encode(),) * 2), 8), "twice"),
    "metadata not strings": (stored({"__metadata__": {"a": 1}, "a": A}, 8), "metadata"),
    "float64": (stored({"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, 8), "of type 'F64'"),
    "dtype is a list": (stored({"a": {**A, "dtype": ["F32"]}}, 8), "of type"),
    "negative size": (stored({"a": {**A, "shape": [-2]}}, 8), "no valid shape"),
    "boolean size": (stored({"a": {**A, "shape": [2, True]}}, 8), "no valid shape"),
    "float size": (stored({"a": {**A, "shape": [2.0]}}, 8), "no valid shape"),
    "too many dimensions": (stored({"a": {**A, "shape": [2**62] * 100_000}}, 8), "no valid shape"),
    # 2^32 * 2^32 * 4 is 0 in 64-bit arithmetic.
    "overflowing shape": (stored({"a": {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 0]}}, 0), "fit"),
    "range too short": (stored({"a": {**A, "data_offsets": [0, 4]}}, 4), "does not fit its shape"),
    "reversed range": (stored({"a": {**A, "data_offsets": [8, 0]}}, 8), "does not fit its shape"),
    "three offsets": (stored({"a": {**A, "data_offsets": [0, 8, 8]}}, 8), "byte range"),
    "overlap": (stored({"a": A, "b": {**B, "data_offsets": [4, 12]}}, 12), "overlaps"),
    "same bytes twice": (stored({"a": A, "b": A}, 8), "overlaps"),
    "hole": (stored({"a": A, "b": {**B, "data_offsets": [12, 20]}}, 20), "gap"),
    "late start": (stored({"b": B}, 16), "gap"),
    "data missing": (stored({"a": A, "b": B}, 15), "cover 16 bytes, but 15"),
    "data appended": (stored({"a": A}, 9), "cover 8 bytes, but 9"),
    "too many tensors": (
        stored({f"{i}": {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]} for i in range(20_001)}, 0),
        "20001 tensors",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_is_refused(tmp_path, case):
    content, reason = HOSTILE[case]
    path = tmp_path / "hostile.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as caught:
        check_header(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


def test_every_truncation_is_refused(tmp_path):
    content = save({"a": torch.ones(2, 3), "b": torch.ones(1, dtype=torch.int64)}, {"k": "v"})
    path = tmp_path / "cut.safetensors"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(WeightsError):
            check_header(path)


def test_file_of_the_reference_library_passes(tmp_path):
    state = {
        "half": torch.ones(2, 3, dtype=torch.float16),
        "brain": torch.ones(5, dtype=torch.bfloat16),
        "empty": torch.ones(0, 4),
        "count": torch.tensor(3),
    }
    path = tmp_path / "good.safetensors"
    path.write_bytes(save(state, {"made by": "test"}))
    assert check_header(path) == {"made by": "test"}


def test_as_many_tensors_as_allowed_pass(tmp_path):
    entry = {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]}
    path = tmp_path / "many.safetensors"
    path.write_bytes(stored({str(i): entry for i in range(LIMITS.weights_tensors)}, 0))
    assert check_header(path) == {}


def test_missing_file_and_folder_name_the_path(tmp_path):
    for path in (tmp_path / "absent.safetensors", tmp_path):
        with pytest.raises(WeightsError, match=path.name):
            check_header(path)
