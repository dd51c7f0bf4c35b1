"""The child process: its death, its limits and its silence are one clear error that names the file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

from makers import dng, heic

from headroom.errors import CorruptFile, HeadroomError
from headroom.image import FloatImage, Hdr
from headroom.io import child, child_program, read, write_hdr
from headroom.io.options import WriteOptions

CODES = np.random.default_rng(4).integers(0, 1024, (64, 64, 3)).astype(np.uint16)


def content_of(kind: str, folder: Path) -> bytes:
    match kind:
        case "avif":
            return bytes(imagecodecs.avif_encode(CODES[:20, :30], 90, speed=9, bitspersample=10))
        case "heif":
            return heic(CODES, 10)
        case "jxl" | "exr":
            write_hdr(Hdr(CODES[:20, :30].astype(np.float32)), folder / f"made.{kind}")
            return (folder / f"made.{kind}").read_bytes()
        case "pq jxl":
            write_hdr(Hdr(CODES / np.float32(100)), folder / "made.jxl", options=WriteOptions(transfer="pq"))
            return (folder / "made.jxl").read_bytes()
        case _:
            return dng(CODES[:40, :40] / 1023)


KINDS = ("avif", "heif", "jxl", "pq jxl", "raw")


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_files_are_refused(tmp_path: Path, kind: str) -> None:
    content = content_of(kind, tmp_path)
    path = tmp_path / "a"
    for size in (1, len(content) // 4, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(HeadroomError, match=str(path)):
            read(path)


def test_time_is_limited(tmp_path: Path, light: FloatImage, monkeypatch: pytest.MonkeyPatch) -> None:
    write_hdr(Hdr(light), tmp_path / "a.exr")
    monkeypatch.setattr(child, "_SECONDS", 0)
    with pytest.raises(CorruptFile, match=r"a\.exr: .*takes more than 0 s"):
        read(tmp_path / "a.exr")


def test_the_result_and_the_memory_are_limited(
    tmp_path: Path, light: FloatImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_hdr(Hdr(light), tmp_path / "a.exr")
    content = (tmp_path / "a.exr").read_bytes()
    names = (19, 11, "R", "G", "B")
    with pytest.raises(CorruptFile, match="File too large"):
        child.decode(tmp_path / "a.exr", content, "exr", *names, title="OpenEXR", pixel_bytes=1)
    monkeypatch.setattr(child, "_BASE_BYTES", 64 * 2**20)
    with pytest.raises(CorruptFile, match=r"a\.exr: "):
        child.decode(tmp_path / "a.exr", content, "exr", *names, title="OpenEXR", pixel_bytes=48)


def test_only_the_child_dies(tmp_path: Path, light: FloatImage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that is killed, as by a crash in it, is an error of that file."""
    write_hdr(Hdr(light), tmp_path / "a.exr")
    program = tmp_path / "crash.py"
    program.write_text(f"import os; os.kill(os.getpid(), {int(signal.SIGSEGV)})")
    monkeypatch.setattr(child_program, "__file__", str(program))
    with pytest.raises(CorruptFile, match=r"a\.exr: .*status -11"):
        read(tmp_path / "a.exr")


def test_the_program_needs_nothing_of_the_package(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.exr", options=WriteOptions(half=False))
    limits = [str(2**31), "48", "1000", "20"]
    command = [sys.executable, "-P", child_program.__file__, "exr", "a.exr", "out", *limits, "19", "11", "R", "G", "B"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    assert np.array_equal(np.fromfile(tmp_path / "out", "<f4").reshape(light.shape), light)
