"""The child process: its death, its limits and its silence are one clear error that names the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

import hostile_program
from makers import dng, heic

from headroom.errors import CorruptFile, EnvironmentProblem, HeadroomError
from headroom.image import FloatImage, Hdr
from headroom.io import child, child_program, read, write_hdr
from headroom.io.child import Decoded
from headroom.io.child_program import Limits
from headroom.io.options import WriteOptions
from headroom.io.zygote import Zygote
from headroom.limits import LIMITS

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


@pytest.fixture(params=["forked", "started"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have decoders run in one kind of process, then in the other."""
    if request.param == "forked" and not child._FORKS:
        pytest.skip("no process is forked on this system")
    monkeypatch.setattr(child, "_FORKS", request.param == "forked")
    monkeypatch.setattr(child, "ZYGOTE", Zygote())
    yield
    child.ZYGOTE.stop()


@pytest.fixture
def hostile(way: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Decoded]:
    """Return a function that runs an action of `hostile_program` within small limits."""
    monkeypatch.setattr(child_program, "__file__", hostile_program.__file__)
    monkeypatch.setattr(child, "LIMITS", replace(LIMITS, pixels=1000, metadata_bytes=10_000, decoder_base_bytes=2**29))

    def run(*arguments: object) -> Decoded:
        return child.decode(Path("a.exr"), b"", "exr", *arguments, title="OpenEXR", pixel_bytes=10)

    return run


DEATHS = {
    ("crash",): "the decoder ended with status -11",
    ("crash beside a thread",): "the decoder ended with status -11",
    ("abort",): "terminate called",
    ("end", 7): "the decoder ended with status 7",
    ("end", 0): "Expecting value.*",
    ("talk",): "File too large",
}


def test_only_the_child_dies(hostile: Callable[..., Decoded]) -> None:
    for arguments, reason in DEATHS.items():
        with pytest.raises(CorruptFile, match=rf"^a\.exr: the OpenEXR data are damaged \(.*{reason}\)\. Copy"):
            hostile(*arguments)
    assert hostile("nothing").facts == {}


@pytest.mark.parametrize(
    ("action", "allowed_bytes", "used_bytes", "reason"),
    [("write", 30_000, 0, "File too large"), ("allocate", 2**29 + 10_000, 2**28, "Cannot allocate memory")],
)
def test_files_and_memory_are_limited(
    hostile: Callable[..., Decoded], tmp_path: Path, action: str, allowed_bytes: int, used_bytes: int, reason: str
) -> None:
    """By a base, and ten bytes for each of 50 x 20 pixels."""
    file = str(tmp_path / "file")
    hostile(action, 50, 20, allowed_bytes - used_bytes, file)
    with pytest.raises(CorruptFile, match=reason):
        hostile(action, 50, 20, allowed_bytes + 1, file)
    with pytest.raises(CorruptFile, match=reason):
        hostile(action, 49, 20, allowed_bytes, file)


def test_time_is_limited(hostile: Callable[..., Decoded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(child, "LIMITS", replace(child.LIMITS, decoder_seconds=1))
        with pytest.raises(CorruptFile, match=r"a\.exr: .*\(it takes more than 1 s to decode\)"):
            hostile("wait", str(tmp_path))
    assert hostile("nothing").facts == {}


def test_processor_time_is_limited(hostile: Callable[..., Decoded], tmp_path: Path) -> None:
    limits = Limits(base_bytes=2**29, facts_bytes=1000, pixel_bytes=1, pixels=1, seconds=1)
    (tmp_path / "request").write_text(json.dumps([limits, "spin"]))
    assert child._run("exr", tmp_path) == -signal.SIGXCPU


def test_no_temporary_space_is_no_fault_of_the_file(
    hostile: Callable[..., Decoded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(EnvironmentProblem, match=r"a\.exr: .*No such file or directory.*Free memory"):
        hostile("nothing")


@pytest.mark.skipif(not (child._FORKS and Path("/proc").exists()), reason="needs a helper and a list of its threads")
def test_no_decoder_starts_a_thread_in_the_helper(tmp_path: Path) -> None:
    """A fork would leave it behind, with the locks that it holds."""
    for kind in ("exr", *KINDS):
        (tmp_path / "a").write_bytes(content_of(kind, tmp_path))
        read(tmp_path / "a")
    helper, _ = child.ZYGOTE._helper
    assert len(list(Path(f"/proc/{helper.pid}/task").iterdir())) == 1


def test_the_program_needs_nothing_of_the_package(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "image.exr", options=WriteOptions(half=False))
    limits = Limits(base_bytes=2**31, facts_bytes=1000, pixel_bytes=48, pixels=1000, seconds=20)
    (tmp_path / "request").write_text(json.dumps([limits, 19, 11, "R", "G", "B"]))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*child_program.command(), "exr", str(tmp_path)], env=environment, check=True)
    assert np.array_equal(np.fromfile(tmp_path / "pixels", "<f4").reshape(light.shape), light)
