"""Networks of other packages, with random weights from files: what they are asked, and that they answer the same."""

from __future__ import annotations

import importlib
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from headroom.metrics import learned_quality, registry
from headroom.metrics.contract import Pair
from headroom.nn.torchvision_beside_cpu import import_torchvision
from headroom.weights.writer import pack

PICTURE = np.random.default_rng(0).random((240, 300, 3)).astype(np.float32)


def measure(name: str, models: Path) -> float:
    (metric,) = registry.find([name])
    found = metric.open(models)
    pair = Pair("codes", PICTURE)
    assert found(pair) == found(pair)
    return found(pair)


@pytest.mark.slow
def test_musiq_is_that_of_pyiqa(tmp_path: Path) -> None:
    with suppress(ImportError):
        import_torchvision()
    arch = pytest.importorskip("pyiqa.archs.musiq_arch")
    torch.manual_seed(0)
    network = arch.MUSIQ(pretrained=False).eval()
    pack(network.state_dict(), tmp_path / learned_quality.MUSIQ_WEIGHTS, {})
    with torch.inference_mode():
        expected = float(network(torch.from_numpy(PICTURE).permute(2, 0, 1)[None]))
    assert measure("musiq", tmp_path) == pytest.approx(expected, abs=1e-2)


@pytest.mark.slow
def test_maniqa_needs_no_download(tmp_path: Path) -> None:
    with suppress(ImportError):
        import_torchvision()
    arch = pytest.importorskip("pyiqa.archs.maniqa_arch")
    timm = importlib.import_module("timm")
    create = timm.create_model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timm, "create_model", lambda name, **_: create(name, pretrained=False))
        network = arch.MANIQA(pretrained=False)
    pack(network.state_dict(), tmp_path / learned_quality.MANIQA_WEIGHTS, {})
    (metric,) = registry.find(["maniqa"])
    metric.open(tmp_path)  # an answer takes minutes on a CPU
    assert timm.create_model is create


def tiny_clip(folder: Path) -> None:
    """Write a CLIP of two layers and a vocabulary of letters."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config={**sizes, "vocab_size": 600, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


def test_clip_iqa_is_the_chance_of_the_good_prompt(tmp_path: Path) -> None:
    with suppress(ImportError):
        import_torchvision()
    tiny_clip(tmp_path / learned_quality.CLIP_FOLDER)
    from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

    folder = tmp_path / learned_quality.CLIP_FOLDER
    prepare = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32)
    codes = np.rint(255 * PICTURE).astype(np.uint8)
    words = CLIPTokenizer.from_pretrained(folder)(["Good photo.", "Bad photo."], return_tensors="pt", padding=True)
    with torch.inference_mode():
        found = CLIPModel.from_pretrained(folder).eval()(**words, **prepare(codes, return_tensors="pt"))
    expected = torch.exp(found.logits_per_image[0]) / torch.exp(found.logits_per_image[0]).sum()
    assert measure("clip_iqa", tmp_path) == pytest.approx(float(expected[0]), abs=0.02)
