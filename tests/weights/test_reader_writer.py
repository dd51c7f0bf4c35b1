"""Round trips, the reference library as the other side, and refusals."""

import contextlib
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save, save_file
from torch import nn

from headroom.errors import OutputError, WeightsError
from headroom.weights.header import check_header
from headroom.weights.reader import load_into, read_state_dict, without_prefix
from headroom.weights.writer import pack


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def test_packed_weights_are_float16_and_read_back_as_float32(tmp_path):
    path, state = tmp_path / "w.safetensors", network().state_dict()
    pack(state, path, {"method": "test"})
    assert {value.dtype for value in load_file(path).values()} == {torch.float16, torch.int64}
    assert check_header(path) == {"method": "test"}
    read = read_state_dict(path)
    assert read.keys() == state.keys()
    for key, value in state.items():
        assert read[key].dtype == value.dtype
        torch.testing.assert_close(read[key], value, rtol=2**-11, atol=2**-25)


def test_brain_floats_of_the_reference_library_become_float32(tmp_path):
    values = torch.tensor([1.5, -2.0, 0.0078125], dtype=torch.bfloat16)
    save_file({"a": values}, tmp_path / "b.safetensors")
    torch.testing.assert_close(read_state_dict(tmp_path / "b.safetensors")["a"], values.float(), rtol=0, atol=0)


@given(st.dictionaries(st.text(min_size=1, max_size=9).filter(str.isprintable), st.text(max_size=9), max_size=5))
def test_equal_input_gives_equal_bytes_whatever_the_metadata(tmp_path_factory, metadata):
    folder = tmp_path_factory.mktemp("pack")
    pack({"a": torch.arange(3.0)}, folder / "1.safetensors", metadata)
    pack({"a": torch.arange(3.0)}, folder / "2.safetensors", dict(reversed(metadata.items())))
    assert (folder / "1.safetensors").read_bytes() == (folder / "2.safetensors").read_bytes()
    assert check_header(folder / "1.safetensors") == metadata
    assert load_file(folder / "1.safetensors")["a"].tolist() == [0, 1, 2]


def test_tied_and_strided_tensors_are_packed(tmp_path):
    shared = torch.arange(6.0).reshape(2, 3)
    pack({"a": shared, "b": shared.T}, tmp_path / "t.safetensors", {})
    torch.testing.assert_close(read_state_dict(tmp_path / "t.safetensors")["b"], shared.T)


@pytest.mark.parametrize("value", [math.nan, math.inf, 65520.0])
def test_values_that_float16_cannot_hold_are_not_written(tmp_path, value):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"older")
    with pytest.raises(WeightsError, match=r"layer\.weight"):
        pack({"layer.weight": torch.tensor([1.0, value])}, path, {})
    assert path.read_bytes() == b"older"


def test_unwritable_folder_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        pack({"a": torch.zeros(1)}, tmp_path / "absent" / "w.safetensors", {})


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_weights_that_are_not_finite_are_refused(tmp_path, value):
    save_file({f"layer.{i}": torch.tensor([value]) for i in range(12)}, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match="and 2 more not finite"):
        read_state_dict(tmp_path / "w.safetensors")


def test_load_into_copies_every_value():
    source, target = network(), network()
    load_into(target, source.state_dict(), "test")
    for ours, theirs in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_load_into_names_what_does_not_fit_and_changes_nothing():
    target = network()
    before = {key: value.clone() for key, value in target.state_dict().items()}
    state = {key: value + 1 for key, value in before.items() if key != "0.bias"}
    state["0.weight"] = torch.zeros(4, 3, 5, 5)
    state["extra"] = torch.zeros(1)
    with pytest.raises(WeightsError, match=r"0\.bias is missing; extra is unexpected; 0\.weight is \(4, 3, 5, 5\)"):
        load_into(target, state, "test")
    assert all(torch.equal(value, before[key]) for key, value in target.state_dict().items())


def test_load_into_names_at_most_ten_keys():
    with pytest.raises(WeightsError, match="and 97 more") as caught:
        load_into(network(), {f"k{i}": torch.zeros(1) for i in range(100)}, "test")
    assert str(caught.value).count("is missing") + str(caught.value).count("is unexpected") == 10


def test_without_prefix_takes_the_part_or_everything():
    one, two = torch.zeros(1), torch.ones(1)
    assert without_prefix({"features.0": one, "classifier.0": two}, "features.") == {"0": one}
    assert without_prefix({"0": one}, "features.") == {"0": one}


@given(st.integers(8, 200), st.binary(min_size=1, max_size=4))
def test_any_change_of_the_header_is_refused_or_harmless(tmp_path_factory, place, change):
    content = bytearray(save({"layer.weight": torch.ones(2, 3), "count": torch.tensor(1)}, {"made by": "test"}))
    place = min(place, int.from_bytes(content[:8], "little") + 8 - len(change))
    content[place : place + len(change)] = change
    path = tmp_path_factory.mktemp("fuzz") / "w.safetensors"
    path.write_bytes(content)
    with contextlib.suppress(WeightsError):
        assert sum(value.numel() for value in read_state_dict(path).values()) == 7
