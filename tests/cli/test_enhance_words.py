"""`headroom enhance` steered by words: a Stable Diffusion folder, prompts and captions, from file to file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import NOUNS, write_captioner, write_stable_diffusion

from headroom.methods import load
from headroom.weights.writer import pack

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
Enhance = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a Stable Diffusion, a captioner, and a file for the preset that reads no words."""
    folder = tmp_path_factory.mktemp("models")
    write_stable_diffusion(folder / "sd")
    write_captioner(folder / "blip")
    method = load("sagiri")
    pack(method.build(method.presets["refine"].settings).state_dict(), folder / "refine.safetensors", {})
    return folder


@pytest.fixture
def mask(photo: Path) -> Path:
    drawn = np.zeros((120, 160), np.uint8)
    drawn[20:90, 30:130] = 255
    path = photo.with_name("mask.png")
    Image.fromarray(drawn).save(path)
    return path


@pytest.fixture
def enhance(photo: Path, mask: Path, models: Path, run: Run, no_network: None) -> Enhance:
    """Return a function that refines the photo by these words, on a machine without a network."""

    def call(*words: str | Path) -> np.ndarray:
        out = photo.with_name("out.png")
        chosen = ("--preset", "refine_paper", "--weights", models / "sd", "--refine-only", "--mask", mask)
        assert run("enhance", photo, "-o", out, *chosen, "--steps", "2", "--force", "--json", *words) == 0
        return np.asarray(Image.open(out))

    return call


def test_words_steer_the_picture(enhance: Enhance, photo: Path, capsys: Capture) -> None:
    before = np.asarray(Image.open(photo))
    sky, again, lamp = (enhance("--prompt", prompt) for prompt in ("a sky", "a sky", "bright lamp"))
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(sky, again)
    assert (sky != lamp).any()
    np.testing.assert_array_equal(sky[:, :8], before[:, :8])
    assert (sky[40:70, 60:100] != before[40:70, 60:100]).any()
    assert (sky != enhance("--prompt", "a sky", "--seed", "1")).any()
    guided = enhance("--prompt", "a sky", "--guidance", "7.5")
    assert (guided != sky).any()
    assert (guided != enhance("--prompt", "a sky", "--guidance", "7.5", "--negative-prompt", "bright lamp")).any()


def test_a_caption_goes_on_where_the_prompt_ends(enhance: Enhance, models: Path, capsys: Capture) -> None:
    captioned = enhance("--caption", models / "blip", "--prompt", "a sky")
    said = capsys.readouterr()
    record = json.loads(said.out)
    assert set(record["caption"].split()) <= set(NOUNS)
    assert record["prompt"] == f"a sky, {record['caption']}"
    assert f"shows {record['caption']}" in said.err
    np.testing.assert_array_equal(captioned, enhance("--prompt", record["prompt"]))
    enhance("--caption", models / "blip")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["prompt"] == record["caption"]


def test_where_nothing_is_made_up_nothing_is_described(
    enhance: Enhance, models: Path, photo: Path, capsys: Capture
) -> None:
    Image.fromarray(np.asarray(Image.open(photo)) // 2 + 40).save(photo, quality=95)
    enhance("--caption", models / "blip", "--mask", "auto")
    assert "caption" not in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["--weights", "refine.safetensors", "--prompt", "a sky"], 2, "use the preset refine_paper with a Stable"),
        (["--weights", "refine.safetensors", "--caption", "blip"], 2, "pip install 'headroom-hdr[words]'"),
        (["--weights", "sd"], 2, "only the preset refine_paper of sagiri is read from one"),
        (["--preset", "refine_paper", "--weights", "blip"], 3, "config.json"),
        (["--preset", "refine_paper", "--weights", "sd", "--caption", "sd/unet"], 3, "is no image-to-text model"),
        (["--preset", "refine_paper", "--weights", "sd", "--caption", "no"], 3, "config.json: is not there"),
        (["--preset", "refine_paper", "--weights", "sd", "--negative-prompt", "noise"], 2, "nothing at guidance 1"),
        (["--preset", "refine_paper", "--prompt", "a sky"], 3, "No weights ship for sagiri refine_paper"),
    ],
)
def test_words_that_nothing_reads_are_explained(
    photo: Path, mask: Path, models: Path, run: Run, capsys: Capture, words: list[str], code: int, problem: str
) -> None:
    words = [str(models / word) if words[i - 1] in {"--weights", "--caption"} else word for i, word in enumerate(words)]
    assert run("enhance", photo, "-o", photo.with_name("out.png"), "--refine-only", "--mask", mask, *words) == code
    captured = capsys.readouterr()
    assert problem in captured.err and "Traceback" not in captured.err
    assert not photo.with_name("out.png").exists()
