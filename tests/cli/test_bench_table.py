"""`headroom bench table`, from photos to a page."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.image import Hdr
from headroom.io import read_photo, write_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
VOID = {"meta", "img"}


class Page(HTMLParser):
    """Reads a page strictly: every element that opens is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def scored(photo: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that holds the data set `set` and the scored results `linear` and `dim<&>`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    scene = np.asarray(8 * (read_photo(photo).codes / 255) ** 4, np.float32)
    for name in ("a", "b"):
        (tmp_path / "set" / f"{name}.jpg").write_bytes(photo.read_bytes())
        write_hdr(Hdr(scene), tmp_path / "set" / f"{name}.pfm")
    assert run("bench", "infer", "linear", "pairs:set", "-o", "linear") == 0
    (tmp_path / "dim<&>").mkdir()
    write_hdr(Hdr(scene / 2), tmp_path / "dim<&>" / "a.exr")
    assert run("bench", "score", "linear", "pairs:set") == 0
    assert run("bench", "score", "dim<&>", "pairs:set") == 1  # b is missing
    return tmp_path


def test_a_page_stands_alone(scored: Path, run: Run, capsys: Capture) -> None:
    capsys.readouterr()
    assert run("bench", "table", "linear", "dim<&>", "-o", "page.html", "--published", "lf_diff") == 0
    assert capsys.readouterr().out == "page.html\n"
    text = (scored / "page.html").read_text()
    page = Page(text)
    assert not page.all("script")
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?!data:)[a-z/]", text)
    assert [element["lang"] for element in page.all("html")] == ["en"]
    assert all(cell["scope"] in {"col", "row"} for cell in page.all("th"))
    images = page.all("img")
    # Input, truth and two results of a; of b one result is missing; all with crops.
    assert len(images) == 2 * 4 + 2 * 3
    for image in images:
        assert image["alt"]
        head, data = str(image["src"]).split(",")
        assert head == "data:image/jpeg;base64"
        Image.open(BytesIO(base64.b64decode(data))).verify()
    assert "no result of this name" in text
    assert "linear default" in text
    assert "dim&lt;&amp;&gt;" in text
    assert "dim<&>" not in text
    assert text.count('class="published"') == 12 + 12 + 10 + 5 + 5


def test_the_same_folders_give_the_same_bytes(scored: Path, run: Run) -> None:
    pages = []
    for _ in range(2):
        assert run("bench", "table", "linear", "dim<&>", "-o", "page.html") == 0
        pages.append((scored / "page.html").read_bytes())
    assert pages[0] == pages[1]


def test_numbers_are_those_of_the_scores(scored: Path, run: Run, capsys: Capture) -> None:
    scores = json.loads((scored / "linear" / "scores.json").read_text())
    capsys.readouterr()
    assert run("bench", "table", "linear", "dim<&>") == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    headings, linear = rows[0], rows[2]
    assert scores["split_sha256"]
    assert linear[:2] == ["| linear default", "2/2"]
    for metric, header in scores["metrics"].items():
        (column,) = (i for i, heading in enumerate(headings) if re.match(re.escape(header["name"]) + " [↑↓]", heading))
        if scores["mean"][metric] is not None:
            assert float(linear[column].strip("* |")) == pytest.approx(scores["mean"][metric], abs=6e-3)
    assert rows[3][1] == "1/2"


def test_a_folder_that_cannot_be_shown_costs_one_line(scored: Path, run: Run, capsys: Capture) -> None:
    (scored / "new").mkdir()
    (scored / "dim<&>" / "scores.json").write_text("{")
    capsys.readouterr()
    assert run("bench", "table", "linear", "new", "dim<&>", "-o", "t.csv") == 1
    captured = capsys.readouterr()
    assert "new: holds no scores.json" in captured.err
    assert "dim<&>/scores.json: is damaged" in captured.err
    assert {line.split(",")[1] for line in (scored / "t.csv").read_text().splitlines()[1:]} == {"linear default"}


def test_a_page_is_made_without_the_data_set(scored: Path, run: Run, capsys: Capture) -> None:
    (scored / "set").rename(scored / "elsewhere")
    capsys.readouterr()
    assert run("bench", "table", "linear", "dim<&>", "-o", "page.html", "--pictures", 1) == 0
    assert "inputs and truths are not shown" in capsys.readouterr().err
    assert Page((scored / "page.html").read_text()).all("img")


def test_printed_tables_alone(run: Run, capsys: Capture, tmp_path: Path) -> None:
    assert run("bench", "table", "--published", "sagiri", "--published", "gmodiff") == 0
    assert "36.68" in capsys.readouterr().out
    for words in [(), ("--published", "nobody"), ("--published", "sagiri", "-o", tmp_path / "t.pdf")]:
        assert run("bench", "table", *words) == 2
    assert not list(tmp_path.iterdir())
