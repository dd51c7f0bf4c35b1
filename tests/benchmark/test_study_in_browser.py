"""The page of a study in Chromium: keys and mouse answer, and what is saved can be counted."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from headroom.benchmark.preferences import read_answers
from headroom.benchmark.study import Trial
from headroom.benchmark.study_page import to_study_page

pytestmark = pytest.mark.external

# A fresh profile and no talk to the network; the sandbox needs rights that a container does not have.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=10000",
]  # fmt: skip
PERSON = """<script>
const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
const shown = () => ["left", "right"].map((side) => byId(side).querySelector("img").naturalWidth);
(async () => {
  await Promise.all([...document.querySelectorAll("#pair img")].map((image) => image.decode()));
  const widths = shown();
  press("ArrowRight");
  press("Backspace");
  press("ArrowLeft");
  byId("right").click();
  byId("same").click();
  press("ArrowLeft");
  const keep = URL.createObjectURL;
  URL.createObjectURL = (blob) => { blob.text().then((text) => {
    const told = [JSON.stringify(widths), byId("count").textContent, String(byId("end").hidden), text];
    document.body.textContent = "told:" + told.join("|") + ":told";
  }); return keep(blob); };
  document.querySelector(".save").click();
})();
</script></html>"""


def picture(width: int) -> bytes:
    data = BytesIO()
    Image.new("RGB", (width, 8)).save(data, "JPEG")
    return data.getvalue()


def test_keys_and_mouse_answer(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed; run `make test-external`")
    trials = [Trial("x", "a", "b"), Trial("y", "b", "a"), Trial("z", "a", "b")]
    pictures = {(image, method): picture(8 if method == "a" else 16) for image in "xyz" for method in "ab"}
    (tmp_path / "s.html").write_text(to_study_page(trials, pictures).replace("</html>", PERSON))
    words = [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"file://{tmp_path}/s.html"]
    page = subprocess.run(words, check=True, capture_output=True, text=True, timeout=100).stdout
    (told,) = re.findall("told:(.*):told", html.unescape(page), re.DOTALL)
    widths, count, end_is_hidden, saved = told.split("|")
    assert (widths, count, end_is_hidden) == ("[8,16]", "3 of 3", "false")
    (tmp_path / "answers.json").write_text(saved)
    answers = read_answers(tmp_path / "answers.json").answers
    assert [(one.image, one.left, one.right, one.choice) for one in answers] == [
        ("x", "a", "b", "left"),
        ("y", "b", "a", "right"),
        ("z", "a", "b", "same"),
    ]
