"""The edges of the command line: help without heavy imports, exit codes, messages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headroom._version import __version__
from headroom.cli import main
from headroom.cli.console import printable

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
HELP = ["", "enhance", "expand", "convert", "inspect", "methods", "weights", "weights list", "weights verify", "train",
        "data", "data check", "bench", "bench infer", "bench score"]  # fmt: skip


@pytest.mark.parametrize("verb", HELP)
def test_help_imports_nothing_heavy(verb: str) -> None:
    program = (
        "import sys\nfrom headroom.cli import main\n"
        f"try: main({[*verb.split(), '--help']!r})\n"
        "except SystemExit as left: assert not left.code\n"
        "heavy = {'torch', 'numpy', 'PIL', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.startswith("Usage: ")


@pytest.mark.skipif(os.name != "posix", reason="a process cannot interrupt itself alone")
def test_an_interrupt_after_all_is_done_changes_nothing() -> None:
    program = (
        "import atexit, os, signal, sys\nfrom headroom.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "sys.argv[1:] = ['--version']\n"
        "main()"
    )
    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"headroom {__version__}\n", "")


def test_version(run: Run, capsys: Capture) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"headroom {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["expnad"],
        ["expand", "a.jpg"],
        ["expand", "a.jpg", "-o", "b.exr", "--format", "bmp"],
        ["expand", "a.jpg", "-o", "b.exr", "--max-headroom", "-1"],
        ["expand", "a.jpg", "-o", "b.xyz"],
        ["train", "hybrid_ae", "--data", ".", "--out", "run", "--set", "steps"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_one_word_of_advice(words: list[str], run: Run, capsys: Capture) -> None:
    assert run(*words) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert "error" in captured.err.lower()
    assert "Traceback" not in captured.err


def test_weights_that_are_not_there_are_3(run: Run, capsys: Capture) -> None:
    assert run("weights", "path", "nothing") == 3
    assert "there are no weights called 'nothing'" in capsys.readouterr().err


def test_a_defect_is_70_and_says_how_to_report_it(run: Run, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(json, "dumps")
    assert run("methods", "--json") == 70
    talk = capsys.readouterr().err
    assert "AttributeError" in talk
    assert "headroom --debug methods --json" in talk
    assert "Traceback" not in talk
    with pytest.raises(AttributeError):
        main(["--debug", "methods", "--json"])


def test_printable_escapes_what_a_terminal_obeys() -> None:
    assert printable("a\x1b[31m\nö 日\udcff") == r"a\x1b[31m\nö 日\udcff"


def test_python_m_headroom_is_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headroom", "--version"]
    result = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout == f"headroom {__version__}\n"


@pytest.mark.parametrize("module", ["typer", "headroom.cli.inspect"])
def test_an_interrupt_at_the_start_is_no_traceback(module: str) -> None:
    program = (
        "import sys\nfrom importlib.abc import MetaPathFinder\nfrom headroom.cli import main\n"
        "class Interrupted(MetaPathFinder):\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\nmain(['--version'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted; what is finished is kept\n")
