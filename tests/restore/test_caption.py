"""Descriptions of pictures by models in local folders."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import NOUNS, SPECIAL, write_captioner

from headroom.errors import MissingDependency, WeightsError
from headroom.image import Encoding, Photo
from headroom.restore.caption import read_captioner

PHOTO = Photo(np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8), 8)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("captioner")
    return folder, write_captioner(folder)


@pytest.fixture
def folder(written: tuple[Path, Any], tmp_path: Path, no_network: None) -> Path:
    """A captioner that may be changed, on a machine without a network."""

    return Path(shutil.copytree(written[0], tmp_path / "captioner"))


def test_a_picture_is_described_as_its_model_says(folder: Path, written: tuple[Path, Any]) -> None:
    mean, deviation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # BLIP's
    pixels = (torch.from_numpy(PHOTO.codes) / 255 - torch.tensor(mean)) / torch.tensor(deviation)
    said = written[1].generate(pixel_values=pixels.permute(2, 0, 1)[None].float(), max_new_tokens=60, do_sample=False)
    expected = [NOUNS[i - len(SPECIAL)] for i in said[0].tolist() if i >= len(SPECIAL)]
    assert len(expected) > 3
    assert read_captioner(folder).describe(PHOTO) == " ".join(expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 2000), (40, 50)])
def test_photos_of_any_size_depth_and_curve_are_described(folder: Path, size: tuple[int, int]) -> None:
    captioner = read_captioner(folder)
    codes = np.random.default_rng(0).integers(0, 65536, (*size, 3)).astype(np.uint16)
    said = captioner.describe(Photo(codes, 16, Encoding("bt2020", "linear")))
    assert set(said.split()) <= set(NOUNS)
    assert said == captioner.describe(Photo(codes, 16, Encoding("bt2020", "linear")))


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere.config\.json: is not there\. Give the folder of a captioner"):
        read_captioner(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{"),
        ("config.json", json.dumps({"model_type": "clip_text_model"}).encode()),
        ("config.json", json.dumps({"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}).encode()),
        ("model.safetensors", b"damaged"),
        ("model.safetensors", None),
        ("preprocessor_config.json", b"["),
        ("tokenizer_config.json", b"["),
    ],
)
def test_what_is_no_captioner_is_refused(folder: Path, file: str, content: bytes | None) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(WeightsError, match=r"no image-to-text model \(") as caught:
        read_captioner(folder)
    assert "\n" not in str(caught.value)


def test_a_model_without_words_says_nothing(folder: Path) -> None:
    (folder / "vocab.txt").unlink()
    with pytest.raises(WeightsError, match="says nothing about a picture"):
        read_captioner(folder).describe(PHOTO)


def test_a_model_that_also_needs_a_question_is_refused(folder: Path) -> None:
    from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = SiglipVisionConfig(**small, image_size=32, patch_size=8)
    language = LlamaConfig(**small, vocab_size=20)
    configuration = LlavaConfig(vision_config=vision, text_config=language, image_token_index=19)
    LlavaForConditionalGeneration(configuration).save_pretrained(folder)
    with pytest.raises(WeightsError, match="Give the folder of a captioner"):
        read_captioner(folder).describe(PHOTO)


def test_without_transformers_the_line_to_type_is_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependency, match=r"pip install 'headroom-hdr\[words\]'"):
        read_captioner(folder)
