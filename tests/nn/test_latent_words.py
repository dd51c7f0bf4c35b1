"""Words for a denoiser to attend to, from folders in the layout of diffusers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import CONTEXT, write_text_encoder

from headroom.errors import MissingDependency, WeightsError
from headroom.nn.latent.words import Words, read_words


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("words")
    return folder, write_text_encoder(folder)


@pytest.fixture
def folder(written: tuple[Path, Any], tmp_path: Path, no_network: None) -> Path:
    """A tokenizer and a text encoder that may be changed, on a machine without a network."""

    return Path(shutil.copytree(written[0], tmp_path / "words"))


def test_words_are_what_transformers_says(folder: Path, written: tuple[Path, Any]) -> None:
    encoded = read_words(folder)(["a cat", "a" * 200])
    assert encoded.shape == (2, 77, CONTEXT)
    letters = 27  # and as many that end a word
    tokens = [[2 * letters, letters + 0, 2, 0, letters + 19, 2 * letters + 1]]
    with torch.no_grad():
        alone = written[1](torch.tensor(tokens)).last_hidden_state  # causal: what fills up comes after
    torch.testing.assert_close(encoded[0, :6], alone[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tokenizer/vocab.json", None),
        ("tokenizer/vocab.json", b"["),
        ("text_encoder/config.json", None),
        ("text_encoder/config.json", b"{"),
        ("text_encoder/model.safetensors", None),
        ("text_encoder/model.safetensors", b"damaged"),
    ],
)
def test_a_damaged_folder_is_named(folder: Path, file: str, content: bytes | None) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(WeightsError, match=r"(is not there|cannot be read)") as caught:
        read_words(folder)
    assert str(folder) in str(caught.value)


def test_missing_values_are_not_drawn_at_random(folder: Path) -> None:
    path = folder / "text_encoder" / "model.safetensors"
    state = load_file(path)
    del state["final_layer_norm.weight"]
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"final_layer_norm\.weight missing"):
        read_words(folder)


@pytest.mark.parametrize("prefix", ["", "text_model."])
def test_names_of_every_version_and_half_precision_are_read(
    folder: Path, written: tuple[Path, Any], prefix: str
) -> None:
    path = folder / "text_encoder" / "model.safetensors"
    half = {prefix + name.removeprefix("text_model."): value.half() for name, value in load_file(path).items()}
    save_file(half, path, metadata={"format": "pt"})
    encoded = read_words(folder)(["a cat"])
    assert encoded.dtype == torch.float32
    torch.testing.assert_close(
        encoded, Words(read_words(written[0]).tokenizer, written[1])(["a cat"]), atol=0.1, rtol=0
    )


def test_words_need_transformers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependency, match=r"pip install 'headroom-hdr\[words\]'"):
        read_words(folder)


@pytest.mark.slow  # it starts a process that loads all of torch, diffusers and transformers
def test_nothing_is_said_and_no_torchvision_is_needed(folder: Path) -> None:
    code = (
        "import sys; sys.modules['torchvision'] = None\n"
        "import headroom.nn.latent.diffusers_models\n"
        "from pathlib import Path; from headroom.nn.latent.words import read_words\n"
        "print(tuple(read_words(Path(sys.argv[1]))(['a cat']).shape))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"(1, 77, {CONTEXT})\n", "")
