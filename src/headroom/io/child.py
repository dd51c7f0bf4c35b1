"""Decoding in a child process with limits on memory, time and files, for libraries that a file could crash.

Where the system can fork, the process is forked from a helper that has NumPy and the decoder loaded
(`headroom.io.zygote`); elsewhere it is a new interpreter. On a busy machine of two cores, a file of
16 x 16 pixels took 18 ms of processor time, 29 ms by the clock; in a new interpreter it took 190 and 300 ms:
`time python -c "from headroom.io import read; [read('small.exr') for _ in range(101)]"`.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.errors import CorruptFile, EnvironmentProblem
from headroom.io import child_program
from headroom.io.child_program import Limits
from headroom.io.guard import check_size
from headroom.io.zygote import ZYGOTE
from headroom.limits import LIMITS

_FORKS = hasattr(os, "fork") and sys.platform != "darwin"  # Apple's frameworks, NumPy's algebra too, bear no fork
_OUT_OF_TIME = -getattr(signal, "SIGXCPU", 24)
_DTYPES = {"|u1", "<u2", "<f2", "<f4"}

Decoder = Literal["exr", "jxl", "avif", "heif", "raw"]
"""A function of `headroom.io.child_program`."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a child found out.

    Attributes:
        facts: Numbers and strings about the file, as the decoder's function says.
        pixels: Its result, or None where it was asked for facts alone.
    """

    facts: Mapping[str, Any]
    pixels: NDArray[Any] | None

    @property
    def raster(self) -> NDArray[Any]:
        """The pixels of a child that was asked for them."""
        if self.pixels is None:
            raise ValueError("the decoder gave no pixels")
        return self.pixels


def decode(path: Path, content: bytes, decoder: Decoder, *arguments: object, title: str, pixel_bytes: int) -> Decoded:
    """Decode a private copy of a file.

    Args:
        path: Named in errors only.
        content: The file.
        decoder: Which function.
        arguments: What it takes.
        title: The container's name for a person.
        pixel_bytes: Memory that the decoder needs for a pixel, the result and its file included.

    Raises:
        CorruptFile: The decoder refused the file, crashed on it, or went beyond its memory or time.
        LimitExceeded: The picture is larger than `headroom.limits` allows.
        EnvironmentProblem: There is no room for the copy, or no process can be started.
    """
    memory = LIMITS.decoder_base_bytes + 2 * len(content)
    limits = Limits(memory, _most_facts_bytes(), pixel_bytes, LIMITS.pixels, LIMITS.decoder_seconds)
    try:
        with tempfile.TemporaryDirectory(prefix="headroom-") as name:
            folder = Path(name)
            (folder / f"image.{decoder}").write_bytes(content)
            (folder / "request").write_text(json.dumps([limits, *arguments]))
            return _result(path, folder, _run(decoder, folder))
    except (ChildProcessError, ValueError) as error:
        raise CorruptFile(f"{path}: the {title} data are damaged ({error}). Copy or download it again.") from error
    except OSError as error:
        raise EnvironmentProblem(
            f"{path}: cannot be decoded in a process of its own ({error}). Free memory and temporary space."
        ) from error


def _run(decoder: Decoder, folder: Path) -> int:
    """Run the program for this folder and return its exit status; that of SIGXCPU if it took too long."""
    seconds, quiet = LIMITS.decoder_seconds, subprocess.DEVNULL
    try:
        if _FORKS:
            status = ZYGOTE.run(decoder, folder, seconds)
        else:
            command = [*child_program.command(), decoder, str(folder)]
            child = subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=seconds, check=False)
            status = child.returncode
    except (TimeoutError, subprocess.TimeoutExpired):
        status = _OUT_OF_TIME
    return status


def _result(path: Path, folder: Path, status: int) -> Decoded:
    if status != 0:
        raise ChildProcessError(_reason(folder, status))
    facts = json.loads(_tail(folder / "facts", _most_facts_bytes()))
    if "shape" not in facts and "size" in facts:
        check_size(path, *facts["size"])
    return Decoded(facts, _pixels(folder / "pixels", facts) if "shape" in facts else None)


def _reason(folder: Path, status: int) -> str:
    """Return why the program failed, in its own words if it had any."""
    if status == _OUT_OF_TIME:
        return f"it takes more than {LIMITS.decoder_seconds} s to decode"
    for name in ("reason", "noise"):
        if lines := _tail(folder / name, 1000).decode("utf-8", "replace").strip().splitlines():
            return lines[-1][:200]
    return f"the decoder ended with status {status}"


def _most_facts_bytes() -> int:
    return 2 * LIMITS.metadata_bytes  # base64 takes a third more


def _tail(path: Path, most_bytes: int) -> bytes:
    """Return the last bytes of a file, or nothing if it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(-min(most_bytes, path.stat().st_size), os.SEEK_END)
            return file.read(most_bytes)
    except FileNotFoundError:
        return b""


def _pixels(result: Path, facts: Mapping[str, Any]) -> NDArray[Any]:
    """Return the pixels of a result file whose size is that of the facts."""
    dtype, shape = str(facts["dtype"]), tuple(int(side) for side in facts["shape"])
    if dtype not in _DTYPES or result.stat().st_size != np.dtype(dtype).itemsize * math.prod(shape):
        raise ChildProcessError("the size of the picture is not that of the header")
    return np.fromfile(result, dtype).reshape(shape)
