"""The released GMODiff in miniature: imported, put beside its Stable Diffusion, and run as it runs itself."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from gmodiff_released import SETTINGS, Released
from moving_brackets import moving
from safetensors.torch import load_file, save_file
from torch import Tensor

from headroom.errors import UsageError, WeightsError
from headroom.methods import load
from headroom.methods.gmodiff.folder import read_folder, read_refiner
from headroom.methods.gmodiff.keymap import layouts
from headroom.weights.importing import import_checkpoints

State = dict[str, Any]

# Its authors have several adapters in one network.
pytestmark = pytest.mark.filterwarnings("ignore:Already found a `peft_config`")


@pytest.fixture(scope="module")
def released() -> Released:
    return Released()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, released: Released) -> Path:
    """A folder as a user makes it of what was released."""
    folder = tmp_path_factory.mktemp("released")
    released.write(folder)
    for file in ("dareg_mask", "gmodiff"):
        import_checkpoints(list(folder.glob(f"{file}.p*")), folder / f"{file}.safetensors", layouts())
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(written, tmp_path / "folder"))


def imported(dictionary: State, folder: Path) -> dict[str, Tensor]:
    """Put another dictionary into a folder."""
    torch.save(dictionary, folder / "gmodiff.pkl")
    import_checkpoints([folder / "gmodiff.pkl"], folder / "gmodiff.safetensors", layouts())
    return load_file(folder / "gmodiff.safetensors")


@torch.no_grad()
def check_runs_as(released: Released, folder: Path) -> None:
    inputs = moving(1, 64).inputs
    found = read_refiner(folder, SETTINGS)(inputs)
    regressed = released.dareg(inputs)
    torch.testing.assert_close(found.regressed.gain, regressed.gain)
    expected = released.gain(regressed, inputs.encoded[:, 0])
    assert expected.std() > 0.05
    torch.testing.assert_close(found.refined.gain, expected, atol=2e-4, rtol=1e-3)


def test_a_folder_of_the_released_files_runs_as_released(written: Path, released: Released) -> None:
    check_runs_as(released, written)


def test_every_tensor_of_the_dictionary_is_read(tmp_path: Path, written: Path) -> None:
    (found,) = import_checkpoints([written / "gmodiff.pkl"], tmp_path / "own.safetensors", layouts())
    assert found.layout == "gmodiff_refiner"
    assert {part: tensors for part, (tensors, _) in found.parts.items()} == {
        "U-Net": 2 * (94 + 148 + 16) + 2,
        "autoencoder": 2 * (32 + 51 - 12),
        **{f"skip {number}": 5 + 2 * 3 for number in (1, 2, 3, 4)},
        "condition encoder": 2 * 32,
        "tokens": 18,
    }
    assert found.unknown == ()
    assert dict(found.ignored) == {"state_dict_vae_c.decoder.": 4}
    assert {"rank_unet", "unet_lora_encoder_modules"} <= set(found.passed_over)
    assert len(load_file(tmp_path / "own.safetensors")) == sum(tensors for tensors, _ in found.parts.values())


def renamed(dictionary: State, change: Callable[[str], str]) -> State:
    return {
        part: {change(name): value for name, value in table.items()} if part.startswith("state") else table
        for part, table in dictionary.items()
    }


def _without_adapter(name: str, instead: str) -> str:
    for kind in ("encoder", "decoder", "others"):
        name = name.replace(f".default_{kind}.", instead)
    return name


SPELLINGS: dict[str, Callable[[str], str]] = {
    "a network that peft wrapped": lambda name: f"base_model.model.{_without_adapter(name, '.default.')}",
    "a file that peft saved": lambda name: _without_adapter(name, ".").replace(".base_layer.", "."),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_peft_spells_names_in_several_ways(tmp_path: Path, written: Path, released: Released, spelling: str) -> None:
    found = imported(renamed(released.dictionary(), SPELLINGS[spelling]), tmp_path)
    expected = load_file(written / "gmodiff.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_adapters_may_be_folded_in_already(folder: Path, released: Released) -> None:
    from peft.tuners.lora import LoraLayer

    dictionary = released.dictionary()
    for part in ("unet", "vae"):  # as the released program does on request; the second encoder keeps its adapters
        network = copy.deepcopy(getattr(released, part))
        for name, module in list(network.named_modules()):
            if isinstance(module, LoraLayer):
                module.merge()  # type: ignore[operator]
                network.set_submodule(name, module.get_base_layer())
        dictionary[f"state_dict_{part}"] = network.state_dict()
    assert not any("lora" in name for name in imported(dictionary, folder) if name.startswith(("denoiser", "skips")))
    check_runs_as(released, folder)


def test_adapters_may_stand_beside_all_that_they_change(folder: Path, released: Released) -> None:
    dictionary = released.dictionary()
    for part in ("unet", "vae", "vae_c"):
        dictionary[f"state_dict_{part}"] = getattr(released, part).state_dict()
    assert "denoiser.mid_block.resnets.0.norm1.weight" in imported(dictionary, folder)
    check_runs_as(released, folder)


def test_adapters_of_another_rank_have_another_scale(folder: Path) -> None:
    released = Released(rank=4)
    imported(released.dictionary(), folder)
    check_runs_as(released, folder)


def test_what_is_missing_or_too_much_is_named(tmp_path: Path, released: Released) -> None:
    without, more, twice = (released.dictionary() for _ in range(3))
    del without["proj"]["mlp.2.bias"]
    more["state_dict_unet"]["time_embedding.linear_1.lora_A.default_encoder.weight"] = torch.ones(16, 4)
    twice["state_dict_unet"]["conv_in.lora_A.other.weight"] = torch.ones(16, 8, 3, 3)
    for dictionary, message in (
        (without, r"gmodiff_refiner, but proj\.mlp\.2\.bias is missing"),
        (more, r"gmodiff_refiner, but state_dict_unet\.time_embedding\.linear_1\.lora_A\.weight is unknown"),
        (twice, r"lora_A\.default_encoder\.weight and .*lora_A\.other\.weight are both .*Give a file with one of them"),
    ):
        with pytest.raises(WeightsError, match=message):
            imported(dictionary, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gmodiff.pkl"]


def test_what_a_folder_lacks_is_named(folder: Path) -> None:
    for path in (folder / "gmodiff.safetensors", folder / "dareg_mask.safetensors"):
        path.unlink()
        source = next(path.parent.glob(f"{path.stem}.p*"))
        with pytest.raises(WeightsError, match=rf"{path}: is not there.* headroom weights import {source} -o {path}$"):
            read_refiner(folder, SETTINGS)
    (folder / "dareg_mask.pth").unlink()
    with pytest.raises(WeightsError, match=r"Make it of GMODiff's: headroom weights import dareg_mask\.pth -o "):
        read_refiner(folder, SETTINGS)


def test_a_part_of_stable_diffusion_that_is_missing_is_named(folder: Path) -> None:
    (folder / "unet" / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"unet/config\.json: cannot be read .*Give a Stable Diffusion"):
        read_refiner(folder, SETTINGS)


def test_a_half_of_an_adapter_is_refused(folder: Path) -> None:
    path = folder / "gmodiff.safetensors"
    state = load_file(path)
    del state["denoiser.conv_out.lora_B.weight"]
    save_file(state, path)
    with pytest.raises(WeightsError, match=rf"{path}: .* denoiser\.conv_out\.lora_A\.weight lacks .*lora_B\.weight"):
        read_refiner(folder, SETTINGS)


def test_files_for_another_network_are_refused(written: Path) -> None:
    settings = replace(SETTINGS, regressor=replace(SETTINGS.regressor, mask_channels=2))
    with pytest.raises(WeightsError, match=rf"{written}: made for another network: regressor\.encoder_adapt_convs\.0"):
        read_refiner(written, settings)


def test_other_presets_are_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only the preset paper of gmodiff"):
        read_folder(load("gmodiff").presets["compact"].settings, tmp_path)
