from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tiny_models import write_refiner

from headroom.errors import UsageError, WeightsError
from headroom.methods.contract import EnhanceInput, Sampling
from headroom.methods.sagiri.refine import refine
from headroom.methods.sagiri.refiner import Refiner
from headroom.methods.sagiri.refiner_folder import CONTROL_FILE, read_refiner


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Refiner]:
    folder = tmp_path_factory.mktemp("refiner")
    return folder, write_refiner(folder)


@pytest.fixture
def folder(written: tuple[Path, Refiner], tmp_path: Path) -> Path:
    """A tiny Stable Diffusion, written by diffusers, and what an imported second stage holds."""
    return Path(shutil.copytree(written[0], tmp_path / "folder"))


@torch.no_grad()
def test_a_folder_gives_the_refiner_that_it_was_made_of(folder: Path, written: tuple[Path, Refiner]) -> None:
    original, found = written[1], read_refiner(folder)
    noisy, hint = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    context, step = torch.ones(1, 3, 12), torch.tensor([400])
    noise = [refiner.steered_noise(noisy, step, hint, context) for refiner in (found, original)]
    torch.testing.assert_close(*noise)
    pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(found.encode(pictures), original.encode(pictures))


def test_a_folder_without_control_is_refused(folder: Path) -> None:
    (folder / CONTROL_FILE).unlink()
    with pytest.raises(WeightsError, match=CONTROL_FILE):
        read_refiner(folder)


def test_without_a_text_encoder_words_are_asked_for(folder: Path) -> None:
    given = EnhanceInput(torch.rand(1, 3, 64, 64), torch.ones(1, 1, 64, 64), Sampling(steps=1))
    with pytest.raises(UsageError, match="text_encoder and tokenizer"):
        refine(read_refiner(folder), given, torch.Generator(), lambda _share: None)
