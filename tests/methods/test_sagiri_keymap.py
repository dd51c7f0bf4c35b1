"""Released checkpoints of Sagiri and DiffBIR: files with exactly their names, imported as a user does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.methods.released import layouts
from headroom.methods.sagiri.keymap import own_names
from headroom.methods.sagiri.latent_swinir import PAPER, LatentSwinIR
from headroom.methods.sagiri.refiner import PAPER_REFINER, build_refiner
from headroom.nn.latent.keymap import condition_encoder_table, control_table, unet_table, vae_table
from headroom.nn.latent.keymap_text import clip_table, open_clip_table
from headroom.weights.importing import import_checkpoints
from headroom.weights.layout import Table
from headroom.weights.reader import load_into, read_state_dict

SCHEDULE = [
    "betas", "alphas_cumprod", "alphas_cumprod_prev", "sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod", "sqrt_recip_alphas_cumprod", "sqrt_recipm1_alphas_cumprod", "posterior_variance",
    "posterior_log_variance_clipped", "posterior_mean_coef1", "posterior_mean_coef2", "logvar",
]  # fmt: skip
UNREAD_TEXT = [
    "text_projection", "logit_scale",
    *(f"transformer.resblocks.23.{name}.{kind}" for name in ("ln_1", "ln_2") for kind in ("weight", "bias")),
]  # fmt: skip


def small(names: Collection[str], prefix: str = "") -> dict[str, Tensor]:
    """Return tensors of these names, each of three rows and with numbers of its own."""
    return {prefix + name: torch.full((3, 1), float(i)) for i, name in enumerate(sorted(names))}


def sources(table: Table) -> set[str]:
    return {piece.source for piece in table.values()}


def stable_diffusion_2() -> dict[str, Tensor]:
    text = sources(open_clip_table()) | set(UNREAD_TEXT)
    return {
        **small(sources(unet_table()), "model.diffusion_model."),
        **small(sources(vae_table()), "first_stage_model."),
        **small(text, "cond_stage_model.model."),
        **small(SCHEDULE),
    }


@pytest.fixture(scope="module")
def stage1() -> dict[str, Tensor]:
    with torch.device("meta"):
        described = LatentSwinIR(PAPER).state_dict()
    return {
        name: torch.full(value.shape, float(i)).to(value.dtype) for i, (name, value) in enumerate(described.items())
    }


@pytest.fixture(scope="module")
def stage2(stage1: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        **stable_diffusion_2(),
        **small(sources(control_table()), "control_model."),
        **small(sources(condition_encoder_table()), "cond_encoder."),
        **{f"preprocess_model.{name}": value for name, value in stage1.items()},
    }


def imported(
    folder: Path, *states: dict[str, Tensor], layout: str | None = None
) -> tuple[dict[str, Tensor], list[dict[str, tuple[int, int]]]]:
    """Save states as Lightning does, and import them; return the tensors and the parts that were found."""
    paths = [folder / f"{i}.ckpt" for i in range(len(states))]
    for path, state in zip(paths, states, strict=True):
        torch.save({"state_dict": state, "global_step": 1}, path)
    found = import_checkpoints(paths, folder / "out.safetensors", layouts(), layout=layout)
    assert not any(each.unknown for each in found)
    return read_state_dict(folder / "out.safetensors"), [dict(each.parts) for each in found]


def count(state: dict[str, Tensor], prefix: str) -> int:
    return sum(name.startswith(prefix) for name in state)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_stage_1_loads_as_released(tmp_path: Path, stage1: dict[str, Tensor], prefix: str) -> None:
    state, parts = imported(tmp_path, {prefix + name: value for name, value in stage1.items()})
    assert parts == [{"stage 1": (732, sum(value.numel() for value in stage1.values()))}]
    with torch.device("meta"):
        network = LatentSwinIR(PAPER)
    network.to_empty(device="cpu")
    load_into(network, own_names(state), "imported")
    assert all(torch.equal(value, stage1[name]) for name, value in network.state_dict().items())


def test_stage_2_has_the_names_of_diffusers(tmp_path: Path, stage2: dict[str, Tensor]) -> None:
    state, (parts,) = imported(tmp_path, stage2)
    assert {part: tensors for part, (tensors, _) in parts.items()} == {
        "control branch": 324,
        "condition encoder": 108,
        "U-Net": 686,
        "autoencoder": 248,
        "text encoder": 2 + 23 * 12 + 2,
    }
    assert count(state, "text_encoder.") == 2 + 23 * 16 + 2
    for ours, released in {
        "control.controlnet_down_blocks.11.weight": "control_model.zero_convs.11.0.weight",
        "control.conv_in.weight": "control_model.input_blocks.0.0.weight",
        "denoiser.up_blocks.3.attentions.2.proj_out.bias": "model.diffusion_model.output_blocks.11.1.proj_out.bias",
        "autoencoder.decoder.up_blocks.0.resnets.2.conv2.weight": "first_stage_model.decoder.up.3.block.2.conv2.weight",
        "condition_encoder.quant_conv.bias": "cond_encoder.quant_conv.bias",
    }.items():
        assert torch.equal(state[ours], stage2[released])


def test_stage_1_is_found_inside_stage_2(tmp_path: Path, stage1: dict[str, Tensor], stage2: dict[str, Tensor]) -> None:
    torch.save({"state_dict": stage2}, tmp_path / "stage2.ckpt")
    (found,) = import_checkpoints(
        [tmp_path / "stage2.ckpt"], tmp_path / "out.safetensors", layouts(), layout="sagiri_stage1"
    )
    assert found.layout == "sagiri_stage1"
    assert len(found.unknown) == len(stage2) - len(stage1)
    state = read_state_dict(tmp_path / "out.safetensors")
    assert all(torch.equal(state[name], value) for name, value in stage1.items())


def test_a_control_branch_joins_a_checkpoint_of_stable_diffusion(tmp_path: Path) -> None:
    state, parts = imported(tmp_path, small(sources(control_table())), stable_diffusion_2())
    assert [list(each) for each in parts] == [["control branch"], ["U-Net", "autoencoder", "text encoder"]]
    assert [count(state, prefix) for prefix in ("control.", "denoiser.", "autoencoder.")] == [324, 686, 248]


def diffusers_folder() -> Iterator[tuple[str, dict[str, Tensor]]]:
    yield "denoiser.", small(unet_table())
    yield "autoencoder.", small(vae_table())
    yield "text_encoder.", small([*clip_table(), "text_model.embeddings.position_ids"])


def test_the_files_of_a_diffusers_folder_become_one(tmp_path: Path) -> None:
    (unet, vae, text) = (state for _, state in diffusers_folder())
    state, _ = imported(tmp_path, unet, vae, text)
    for prefix, part in diffusers_folder():
        assert count(state, prefix) == len(part) - ("text" in prefix)
        names = {name: value for name, value in part.items() if "position_ids" not in name}
        assert all(torch.equal(state[prefix + name], value) for name, value in names.items())


def test_the_first_version_has_clip_s_names_and_its_averages_are_left_out(tmp_path: Path) -> None:
    state = {
        **small(sources(unet_table()), "model.diffusion_model."),
        **small(sources(vae_table()), "first_stage_model."),
        **small(clip_table(), "cond_stage_model.transformer."),
        **small([name.replace(".", "") for name in sources(unet_table())], "model_ema.diffusion_model"),
    }
    torch.save({"state_dict": state}, tmp_path / "v1-5.ckpt")
    (found,) = import_checkpoints([tmp_path / "v1-5.ckpt"], tmp_path / "out.safetensors", layouts())
    assert found.layout == "stable_diffusion_1"
    assert found.ignored == {"model_ema.": 686}
    assert not found.unknown


def test_a_stage_2_that_lacks_something_is_not_taken_for_what_it_still_has(
    tmp_path: Path, stage2: dict[str, Tensor]
) -> None:
    part = {name: value for name, value in stage2.items() if not name.startswith("control_model.zero_convs.3")}
    torch.save({"state_dict": part}, tmp_path / "part.ckpt")
    with pytest.raises(WeightsError, match=r"nearest to the layout sagiri_stage2, but control_model\.zero_convs\.3\.0"):
        import_checkpoints([tmp_path / "part.ckpt"], tmp_path / "out.safetensors", layouts())


def test_own_names_are_those_of_the_paper_s_refiner(stage2: dict[str, Tensor]) -> None:
    with torch.device("meta"):
        expected = build_refiner(PAPER_REFINER).state_dict()
    same = {name.replace("cond_encoder.", "first_stage_model.") for name in stage2 if name.startswith("cond_encoder.")}
    state = {name: value * 0 if name in same or name.startswith("cond") else value for name, value in stage2.items()}
    renamed = own_names(state)
    assert renamed.keys() == expected.keys()
    assert own_names(renamed).keys() == renamed.keys()


def test_a_condition_encoder_that_was_trained_is_refused(stage2: dict[str, Tensor]) -> None:
    with pytest.raises(WeightsError, match="differs from the autoencoder's"):
        own_names(stage2)
