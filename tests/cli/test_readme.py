"""The README's examples run word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Run = Callable[..., int]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(section: str, language: str) -> list[str]:
    """Return the code blocks of one language below a heading."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def bracketed(photo: Path, time_s: float) -> Image.Image:
    """Return the photo as another exposure than 0.16 s would have made it, by a gamma of 2.2."""
    return Image.open(photo).point([round(code * (time_s / 0.16) ** (1 / 2.2)) for code in range(256)] * 3)


def taken(time_s: float) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x829A] = time_s
    return exif


@pytest.fixture
def folder(photo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with photo.jpg, a folder of photos, a bracket, and that in a folder too."""
    photos, card = photo.parent / "photos", photo.parent / "card"
    photos.mkdir()
    card.mkdir()
    for name in ("one.jpg", "two.jpg"):
        (photos / name).hardlink_to(photo)
    for name, time_s in (("a.jpg", 0.01), ("b.jpg", 0.04), ("c.jpg", 0.16)):
        bracketed(photo, time_s).save(photo.parent / name, exif=taken(time_s))
        (card / name).hardlink_to(photo.parent / name)
    monkeypatch.chdir(photo.parent)
    return photo.parent


def test_command_line(folder: Path, run: Run) -> None:
    (commands,) = blocks("Command line", "sh")
    for line in commands.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert (program, run(*words)) == ("headroom", 0), line
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert made >= {"photo.exr", "proof.png", "hdr/one.jpg", "hdr/one.preview.jpg", "exr/two.exr", "scene.exr"}
    assert sum(path.startswith("merged/") for path in made) == 1


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
