"""Decoding in a child process with limits on memory, time and files, for libraries that a file could crash.

The child costs about 0.1 s of processor time, nearly all of it for loading NumPy and the decoder.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headroom.errors import CorruptFile
from headroom.io import child_program
from headroom.io.guard import check_size
from headroom.limits import LIMITS

_SECONDS = 120
_BASE_BYTES = 2 * 2**30  # the interpreter, the libraries and their threads
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
    """
    limits = (_BASE_BYTES + 2 * len(content), pixel_bytes, LIMITS.pixels, _SECONDS)
    with tempfile.TemporaryDirectory(prefix="headroom-") as folder:
        copy, result = Path(folder, f"image.{decoder}"), Path(folder, "pixels")
        copy.write_bytes(content)
        try:
            facts = _run([decoder, str(copy), str(result), *map(str, (*limits, *arguments))])
            if "shape" not in facts and "size" in facts:
                check_size(path, *facts["size"])
            return Decoded(facts, _pixels(result, facts) if "shape" in facts else None)
        except ChildProcessError as error:
            raise CorruptFile(f"{path}: the {title} data are damaged ({error}). Copy or download it again.") from error


def _run(arguments: list[str]) -> dict[str, Any]:
    """Run the program and return its facts.

    Raises:
        ChildProcessError: It failed; the message is the reason.
    """
    # -P: the folder of the program must not shadow the standard library.
    command = [sys.executable, "-P", child_program.__file__, *arguments]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    try:
        child = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ChildProcessError(f"it takes more than {_SECONDS} s to decode") from error
    if child.returncode in {0, child_program.TOO_LARGE_STATUS}:
        facts: dict[str, Any] = json.loads(child.stdout)
        return facts
    complaint = child.stderr.decode("utf-8", "replace").strip().splitlines()
    raise ChildProcessError(complaint[-1][:200] if complaint else f"the decoder ended with status {child.returncode}")


def _pixels(result: Path, facts: Mapping[str, Any]) -> NDArray[Any]:
    """Return the pixels of a result file whose size is that of the facts."""
    dtype, shape = str(facts["dtype"]), tuple(int(side) for side in facts["shape"])
    if dtype not in _DTYPES or result.stat().st_size != np.dtype(dtype).itemsize * math.prod(shape):
        raise ChildProcessError("the size of the picture is not that of the header")
    return np.fromfile(result, dtype).reshape(shape)
