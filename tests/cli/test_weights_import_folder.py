"""`headroom weights import` to a folder: a Stable Diffusion in one file becomes one in the layout of diffusers."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from headroom.errors import WeightsError
from headroom.methods.sagiri.control import ControlBranch
from headroom.methods.sagiri.refiner_folder import read_refiner
from headroom.nn.latent.folder import from_folder
from headroom.nn.latent.keymap import condition_encoder_table, control_table, unet_table, vae_table
from headroom.nn.latent.words import read_words
from headroom.weights.layout import Table

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
State = dict[str, Tensor]

WORDS, WIDTH, HEADS = 49408, 128, 2
AUTOENCODER = {
    "block_out_channels": (32, 64, 96, 96),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
}
DENOISER = {"in_channels": 4, "out_channels": 4, "block_out_channels": (32, 64, 96, 96), "cross_attention_dim": WIDTH}
OF_VERSION = {1: {"attention_head_dim": 8}, 2: {"attention_head_dim": 1, "use_linear_projection": True}}


class OpenClipBlock(nn.Module):
    """A layer as OpenCLIP has it, on torch's own attention."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(WIDTH, 4 * WIDTH))
        self.mlp.add_module("gelu", nn.GELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        future = torch.full((x.shape[1],) * 2, -torch.inf).triu(1)
        seen = self.ln_1(x)
        x = x + self.attn(seen, seen, seen, attn_mask=future, need_weights=False)[0]
        x += self.mlp(self.ln_2(x))
        return x


class OpenClip(nn.Module):
    """The text encoder of Stable Diffusion 2.x: what comes out of the last layer but one."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(WORDS, WIDTH)
        self.positional_embedding = nn.Parameter(torch.randn(77, WIDTH))
        self.transformer = nn.ModuleDict({"resblocks": nn.ModuleList(OpenClipBlock() for _ in range(24))})
        self.ln_final = nn.LayerNorm(WIDTH)

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token_embedding(tokens) + self.positional_embedding
        for block in list(self.transformer["resblocks"].children())[:-1]:
            x = block(x)
        final: Tensor = self.ln_final(x)
        return final


class Clip(nn.Module):
    """The text encoder of Stable Diffusion 1.x, by transformers."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import CLIPTextConfig, CLIPTextModel

        sizes = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_attention_heads": HEADS}
        self.encoder = CLIPTextModel(CLIPTextConfig(vocab_size=WORDS, num_hidden_layers=12, **sizes)).eval()

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        states: Tensor = self.encoder(tokens).last_hidden_state
        return states

    def released(self) -> State:
        state = self.encoder.state_dict()
        return {f"text_model.{name.removeprefix('text_model.')}": value for name, value in state.items()}


def as_released(network: Any, table: Table, prefix: str) -> State:
    """Give the weights of diffusers' network their released names, and the attention of the autoencoder its shapes."""
    state = network.state_dict()
    return {
        prefix + piece.source: state[name][:, :, None, None] if piece.linear else state[name]
        for name, piece in table.items()
    }


def networks(version: int) -> tuple[Any, Any]:
    from headroom.nn.latent.diffusers_models import AutoencoderKL, UNet2DConditionModel

    torch.manual_seed(version)
    return AutoencoderKL(**AUTOENCODER).eval(), UNet2DConditionModel(**DENOISER, **OF_VERSION[version]).eval()


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list of merges in its released form: a comment, and more lines than are used."""
    letters = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 324))]
    merges = (f"{first} {second}" for first, second in product(letters, letters))
    path = tmp_path_factory.mktemp("open_clip") / "bpe_simple_vocab_16e6.txt.gz"
    path.write_bytes(gzip.compress("\n".join(("#version: 0.2", *islice(merges, 60_000), "")).encode(), 1))
    return path


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any, OpenClip]:
    """A checkpoint in the layout of DiffBIR v1, which holds a Stable Diffusion 2.x, and its networks."""
    autoencoder, denoiser = networks(2)
    text, control = OpenClip().eval(), ControlBranch(denoiser, 4)
    for parameter in control.parameters():
        nn.init.normal_(parameter, std=0.1)
    state = {
        **as_released(autoencoder, vae_table(), "first_stage_model."),
        **as_released(denoiser, unet_table(), "model.diffusion_model."),
        **{f"cond_stage_model.model.{name}": value for name, value in text.state_dict().items()},
        **as_released(control, control_table(), "control_model."),
        **as_released(autoencoder, condition_encoder_table(), "cond_encoder."),
    }
    path = tmp_path_factory.mktemp("second") / "v2.ckpt"
    torch.save({"state_dict": state, "global_step": 1}, path)
    return path, autoencoder, denoiser, text


@pytest.fixture
def no_vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that holds none; returns the cache of its hub."""
    from headroom.nn.latent import vocabulary

    monkeypatch.setattr(vocabulary, "find_spec", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def check_same_networks(folder: Path, autoencoder: Any, denoiser: Any) -> None:
    found = from_folder(folder)
    x, step, context = torch.randn(1, 4, 8, 8), torch.tensor([300]), torch.randn(1, 5, WIDTH)
    with torch.no_grad():
        torch.testing.assert_close(found.denoiser(x, step, context).sample, denoiser(x, step, context).sample)
        torch.testing.assert_close(found.autoencoder.decode(x).sample, autoencoder.decode(x).sample)


def check_same_words(folder: Path, text: nn.Module, filler: int) -> None:
    words = read_words(folder)
    tokens = words.tokenizer(["a cat"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    assert tokens[0, :2].tolist() == [WORDS - 2, 320]  # the published number of the word "a"
    assert tokens[0, -1] == filler
    torch.testing.assert_close(words(["a cat"]), text(tokens), atol=1e-5, rtol=1e-5)


def test_a_second_version_with_control_becomes_a_folder_that_words_steer(
    tmp_path: Path, run: Run, capsys: Capture, second: tuple[Path, Any, Any, OpenClip], vocabulary: Path
) -> None:
    path, autoencoder, denoiser, text = second
    folder = tmp_path / "sd-2.1"
    assert run("weights", "import", path, "-o", folder, "--tokenizer", vocabulary) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{folder}\n"
    assert "warning" not in captured.err
    check_same_networks(folder, autoencoder, denoiser)
    check_same_words(folder, text, filler=0)
    refiner = read_refiner(folder)
    assert refiner.read(["a cat"]) is not None
    assert sorted(each.name for each in tmp_path.iterdir()) == ["sd-2.1"]


def test_a_first_version_becomes_a_folder_and_finds_a_vocabulary_in_the_hub_s_cache(
    tmp_path: Path, run: Run, no_vocabulary: Path, vocabulary: Path
) -> None:
    from headroom.nn.latent.vocabulary import read_vocabulary, write_tokenizer

    write_tokenizer(no_vocabulary / "models--openai--clip" / "snapshots" / "1", read_vocabulary(vocabulary))
    autoencoder, denoiser = networks(1)
    text = Clip()
    state = {
        **as_released(autoencoder, vae_table(), "first_stage_model."),
        **as_released(denoiser, unet_table(), "model.diffusion_model."),
        **{f"cond_stage_model.transformer.{name}": value for name, value in text.released().items()},
    }
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "v1.safetensors")
    folder = tmp_path / "deep" / "sd15"
    words = ("--prediction", "v_prediction")
    assert run("weights", "import", tmp_path / "v1.safetensors", "-o", folder, *words) == 0
    check_same_networks(folder, autoencoder, denoiser)
    check_same_words(folder, text, filler=WORDS - 1)
    assert from_folder(folder).prediction == "v_prediction"


def test_without_a_vocabulary_the_folder_is_written_and_says_what_is_missing(
    tmp_path: Path, run: Run, capsys: Capture, second: tuple[Path, Any, Any, OpenClip], no_vocabulary: Path
) -> None:
    folder = tmp_path / "sd"
    assert run("weights", "import", second[0], "-o", folder) == 0
    assert "has no tokenizer, without which no words are read. CLIP's vocabulary is found" in capsys.readouterr().err
    place = re.escape(str(folder / "tokenizer" / "vocab.json"))
    with pytest.raises(WeightsError, match=rf"{place}: is not there. Put CLIP's vocab.json and merges.txt into that"):
        read_words(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no vocabulary of CLIP"),
        ("[", "holds no vocabulary of CLIP"),
        (json.dumps({"a": 0, "b": 2}), "not numbered from 0 on"),
        (json.dumps({"a": 0, "b": 1}), "whose last words are"),
        (json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1}), "the vocabulary has 2 words"),
    ],
)
def test_what_is_no_vocabulary_is_refused_and_nothing_is_left(
    tmp_path: Path,
    run: Run,
    capsys: Capture,
    second: tuple[Path, Any, Any, OpenClip],
    content: str | None,
    message: str,
) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "merges.txt").write_text("#version: 0.2\n")
    if content is not None:
        (given / "vocab.json").write_text(content)
    assert run("weights", "import", second[0], "-o", tmp_path / "sd", "--tokenizer", given) == 3
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [given]


def test_one_file_holds_the_vocabulary_too(tmp_path: Path, vocabulary: Path) -> None:
    from headroom.nn.latent.vocabulary import read_vocabulary

    whole = read_vocabulary(vocabulary)
    numbered = {token: i for i, token in enumerate(whole.tokens)}
    pairs = [merge.split(" ") for merge in whole.merges]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": numbered, "merges": pairs}}))
    assert read_vocabulary(tmp_path) == whole


def test_folders_are_not_replaced_and_need_a_denoiser(
    tmp_path: Path, run: Run, capsys: Capture, second: tuple[Path, Any, Any, OpenClip]
) -> None:
    folder = tmp_path / "sd"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    assert run("weights", "import", second[0], "-o", folder, "--force") == 2
    assert "exists already" in capsys.readouterr().err
    shutil.rmtree(folder)
    save_file({name: torch.ones(3, 1) for name in vae_table()}, tmp_path / "vae.safetensors")
    assert run("weights", "import", tmp_path / "vae.safetensors", "-o", folder) == 2
    assert "needs a U-Net, which no file holds" in capsys.readouterr().err
    assert not folder.exists()
