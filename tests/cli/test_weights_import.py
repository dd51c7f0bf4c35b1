"""`headroom weights import`: from a released checkpoint to a picture, and what it says on the way."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from headroom import read_photo
from headroom.methods.gmodiff.method import DaRegSettings
from headroom.methods.gmodiff.method import build as build_gmodiff
from headroom.methods.hybrid_ae.paper import MODEL_B, build_paper
from headroom.methods.sagiri.latent_swinir import PAPER, LatentSwinIR
from headroom.weights.header import check_header
from headroom.weights.writer import pack

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(3)
    return build_paper(MODEL_B)


@pytest.fixture
def checkpoint(tmp_path: Path, network: nn.Module) -> Path:
    """Return the released training program's file of a network."""
    path = tmp_path / "gen_best.pth"
    optimiser = torch.optim.Adam(network.parameters()).state_dict()
    torch.save({"model_state_dict": network.state_dict(), "optimizer_state_dict": optimiser, "epoch": 7}, path)
    return path


def expanded(run: Run, photo: Path, weights: Path) -> bytes:
    out = weights.with_suffix(".pfm")
    assert run("expand", photo, "-o", out, "--method", "hybrid_ae", "--preset", "model_b", "--weights", weights) == 0
    return out.read_bytes()


def enhanced(run: Run, photo: Path, weights: Path) -> bytes:
    out = weights.with_suffix(".png")
    assert run("enhance", photo, "-o", out, "--preset", "paper", "--weights", weights) == 0
    return read_photo(out).codes.tobytes()


def test_an_imported_network_expands_as_the_original(
    tmp_path: Path, photo: Path, run: Run, capsys: Capture, checkpoint: Path, network: nn.Module
) -> None:
    imported, own = tmp_path / "imported.safetensors", tmp_path / "own.safetensors"
    assert run("weights", "import", checkpoint, "-o", imported) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{imported}\n"
    assert "layout hybrid_ae_model_b" in captured.err
    assert "not read: optimizer_state_dict; epoch" in captured.err
    save_file(network.state_dict(), own)
    assert expanded(run, photo, imported) == expanded(run, photo, own)


def test_the_imported_first_stage_of_sagiri_enhances_as_the_original(tmp_path: Path, photo: Path, run: Run) -> None:
    torch.manual_seed(5)
    state = LatentSwinIR(PAPER).state_dict()
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "stage1.ckpt")
    imported, own = tmp_path / "imported.safetensors", tmp_path / "own.safetensors"
    save_file(state, own)
    assert run("weights", "import", tmp_path / "stage1.ckpt", "-o", imported, "--dtype", "float32") == 0
    assert enhanced(run, photo, imported) == enhanced(run, photo, own)


def test_the_file_says_where_it_comes_from(tmp_path: Path, run: Run, capsys: Capture, checkpoint: Path) -> None:
    out = tmp_path / "out.safetensors"
    assert run("weights", "import", checkpoint, "-o", out, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    numbers = sum(value.numel() for value in load_file(out).values())
    assert found["parts"] == {"network": [len(load_file(out)), numbers]}
    assert check_header(out) == {
        "source": "gen_best.pth",
        "source_sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
        "layout": "hybrid_ae_model_b",
        "licence_hint": "MIT",
    }


def test_floats_become_half_as_when_packed(tmp_path: Path, run: Run, checkpoint: Path, network: nn.Module) -> None:
    out, packed = tmp_path / "out.safetensors", tmp_path / "packed.safetensors"
    assert run("weights", "import", checkpoint, "-o", out, "--dtype", "float16") == 0
    pack(network.state_dict(), packed, {})
    ours, theirs = load_file(out), load_file(packed)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], value) and ours[name].dtype == value.dtype for name, value in theirs.items())


def test_parallel_training_s_prefix_goes(tmp_path: Path, run: Run, network: nn.Module) -> None:
    source, out = tmp_path / "a.pth", tmp_path / "out.safetensors"
    torch.save({"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, source)
    assert run("weights", "import", source, "-o", out) == 0
    assert load_file(out).keys() == network.state_dict().keys()


def refusals(network: nn.Module) -> Iterator[tuple[str, Any, list[str], int, str]]:
    """Yield a name, a state dict, further words, the exit code and what is said."""
    state = network.state_dict()
    missing = {name: value for name, value in state.items() if not name.startswith("up3")}
    broken = state | {"final_conv.bias": torch.tensor([1.0, float("nan"), 0.0])}
    large = state | {"final_conv.bias": torch.full((3,), 1e6)}
    yield "part", missing, [], 3, "nearest to the layout hybrid_ae_model_b, but up3.conv1.conv.weight is missing"
    yield "other", {f"layer{i}.weight": torch.ones(1) for i in range(40)}, [], 3, "and 30 more"
    yield "nan", broken, [], 3, "final_conv.bias holds numbers not finite"
    yield "large", large, ["--dtype", "float16"], 3, "final_conv.bias holds numbers beyond float16"
    yield "as", state, ["--as", "sagiri_stage1"], 3, "of no known layout (sagiri_stage1)"
    yield "layout", state, ["--as", "nonsense"], 2, "there is no layout 'nonsense'; there are stable_diffusion_1"


@pytest.mark.parametrize("kind", ["part", "other", "nan", "large", "as", "layout"])
def test_refusals_leave_nothing_behind(
    tmp_path: Path, run: Run, capsys: Capture, network: nn.Module, kind: str
) -> None:
    _, state, words, code, message = next(case for case in refusals(network) if case[0] == kind)
    source = tmp_path / "a.pth"
    torch.save(state, source)
    assert run("weights", "import", source, "-o", tmp_path / "out.safetensors", *words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [source]


def test_an_attack_is_refused_and_does_not_run(tmp_path: Path, run: Run, capsys: Capture) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'marker'}",)

    source = tmp_path / "a.ckpt"
    torch.save({"state_dict": {"w": torch.ones(2)}, "hook": Attack()}, source)
    assert run("weights", "import", source, "-o", tmp_path / "out.safetensors") == 3
    assert "which only an attack needs; nothing of it was run" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]


def test_outputs_are_not_replaced_and_are_safetensors(
    tmp_path: Path, run: Run, capsys: Capture, checkpoint: Path
) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"older")
    assert run("weights", "import", checkpoint, "-o", out) == 2
    assert run("weights", "import", checkpoint, "-o", tmp_path / "out.pth") == 2
    assert out.read_bytes() == b"older"
    assert run("weights", "import", checkpoint, checkpoint, "-o", out, "--force") == 2
    assert "Give each network once" in capsys.readouterr().err
    assert out.read_bytes() == b"older"
    assert run("weights", "import", checkpoint, "-o", out, "--force") == 0
    assert check_header(out)["layout"] == "hybrid_ae_model_b"


def test_the_regressor_of_gmodiff_keeps_its_532_names(tmp_path: Path, run: Run) -> None:
    with torch.device("meta"):
        names = build_gmodiff(DaRegSettings()).state_dict().keys()
    state = {f"module.{name}": torch.ones(1) for name in names}
    torch.save({"epoch": 1, "state_dict": state, "val_metrics": {"psnr": 40.0}}, tmp_path / "dareg_mask.pth")
    assert run("weights", "import", tmp_path / "dareg_mask.pth", "-o", tmp_path / "out.safetensors") == 0
    assert load_file(tmp_path / "out.safetensors").keys() == names
    assert len(names) == 532
