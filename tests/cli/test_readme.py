"""The README's examples run word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., int]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """Return the code blocks of one language below a heading."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture
def folder(photo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with photo.jpg and a folder of photos."""
    photos = photo.parent / "photos"
    photos.mkdir()
    for name in ("one.jpg", "two.jpg"):
        (photos / name).hardlink_to(photo)
    monkeypatch.chdir(photo.parent)
    return photo.parent


def test_command_line(folder: Path, run: Run) -> None:
    (commands,) = blocks("Command line", "sh")
    for line in commands.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert (program, run(*words)) == ("headroom", 0), line
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert made >= {"photo.exr", "proof.png", "hdr/one.jpg", "hdr/one.preview.jpg", "exr/two.exr"}


def test_python(folder: Path) -> None:
    (program,) = blocks("Python", "python")
    exec(compile(program, "README.md", "exec"), {})
    assert (folder / "expanded.jpg").stat().st_size > (folder / "photo.jpg").stat().st_size
    assert (folder / "preview.png").exists()


def test_every_verb_is_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("--help")
    verbs = re.findall(r"^  (\w+)  ", capsys.readouterr().out.partition("Commands:")[2], flags=re.MULTILINE)
    assert verbs
    assert all(f"headroom {verb}" in README for verb in verbs)
