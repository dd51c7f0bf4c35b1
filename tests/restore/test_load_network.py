from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tiny_models import write_stable_diffusion

from headroom.errors import UsageError, WeightsError
from headroom.restore.network import choose_preset, load_network

CPU = torch.device("cpu")


def test_float16_weights_become_a_float32_network(compact_weights: Path) -> None:
    loaded = load_network("hybrid_ae", "compact", compact_weights, CPU)
    stored = safetensors.torch.load_file(compact_weights)
    assert {value.dtype for value in stored.values()} == {torch.float16}
    assert not loaded.network.training
    for name, value in loaded.network.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, stored[name].float())
    assert loaded.weights_sha256 == hashlib.sha256(compact_weights.read_bytes()).hexdigest()


def test_a_network_is_loaded_once(compact_weights: Path) -> None:
    one, other = (load_network("hybrid_ae", "compact", compact_weights, CPU) for _ in range(2))
    assert one is other


def test_a_method_without_a_network_needs_no_weights() -> None:
    assert load_network("linear", "default", None, CPU).weights_sha256 is None


def test_no_preset_means_the_first_one() -> None:
    assert choose_preset("hybrid_ae", None)[1] == "compact"


@pytest.mark.parametrize("preset", ["paper", "model_a", "unet"])
def test_presets_without_weights_say_what_to_give(preset: str) -> None:
    with pytest.raises(WeightsError, match=rf"hybrid_ae {preset}\. Give a safetensors file"):
        load_network("hybrid_ae", preset, None, CPU)


def test_weights_of_another_network_are_refused(compact_weights: Path) -> None:
    with pytest.raises(WeightsError, match=r"compact\.safetensors"):
        load_network("hybrid_ae", "paper", compact_weights, CPU)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors"):
        load_network("hybrid_ae", "compact", tmp_path / "nowhere.safetensors", CPU)


def test_unknown_methods_and_presets_are_refused() -> None:
    with pytest.raises(UsageError, match="no method"):
        choose_preset("magic", None)
    with pytest.raises(UsageError, match="no preset"):
        choose_preset("linear", "huge")


def test_weights_for_a_method_without_a_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no network"):
        load_network("linear", "default", tmp_path / "any.safetensors", torch.device("cpu"))


@pytest.mark.parametrize(("method", "preset"), [("hybrid_ae", "compact"), ("sagiri", "compact"), ("sagiri", "refine")])
def test_a_folder_is_refused_where_weights_are_one_file(method: str, preset: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a folder, and .* Give a file\."):
        load_network(method, preset, tmp_path, CPU)


def test_the_hash_of_a_folder_is_that_of_its_safetensors(tmp_path: Path) -> None:
    write_stable_diffusion(tmp_path)
    loaded = load_network("sagiri", "refine_paper", tmp_path, CPU)
    parts = ["control.safetensors", "text_encoder/model.safetensors"]
    parts += [f"{part}/diffusion_pytorch_model.safetensors" for part in ("unet", "vae")]
    together = b"".join((tmp_path / part).read_bytes() for part in parts)
    assert loaded.weights_sha256 == hashlib.sha256(together).hexdigest()
    assert not loaded.network.training
