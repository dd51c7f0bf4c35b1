"""The program that finds the tensors in one checkpoint of others, in a process of its own with limits.

Nothing in it can make the file's pickle run (`unpickle`); the process is there for what a file may still do: fill the
memory, take for ever, or crash the interpreter. It takes a path, seconds and bytes, and prints one JSON object: what
`torch_file.index` found, or the `reason` why not.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from headroom.limits import LIMITS
from headroom.weights.torch_file import index


def run(
    path: Path, seconds: int = LIMITS.checkpoint_seconds, memory_bytes: int = LIMITS.checkpoint_index_bytes
) -> dict[str, Any]:
    """Return the index of a checkpoint as the process says it, unchecked.

    Raises:
        ValueError: The file was refused, or the process went beyond its limits.
        OSError: The process could not be started.
    """
    command = [sys.executable, "-P", "-m", __name__, os.fspath(path.absolute()), str(seconds), str(memory_bytes)]
    environment = os.environ | {"PYTHONPATH": os.fspath(Path(__file__).parents[2])}
    quiet = subprocess.DEVNULL
    with tempfile.TemporaryFile() as said:
        try:
            child = subprocess.run(
                command, env=environment, stdin=quiet, stdout=said, stderr=quiet, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            raise ValueError(f"it takes more than {seconds} s to read") from None
        said.seek(0)
        answer = said.read(LIMITS.weights_header_bytes)
    if child.returncode != 0:
        raise ValueError(f"the process that reads it ended with status {child.returncode}")
    found: dict[str, Any] = json.loads(answer)
    if "reason" in found:
        raise ValueError(found["reason"])
    return found


def _main(path: str, seconds: int, memory_bytes: int) -> None:
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_CPU", seconds + 1)  # the parent watches the clock; this is for when it has gone
    _limit("RLIMIT_AS", memory_bytes)
    _limit("RLIMIT_FSIZE", LIMITS.weights_header_bytes)
    sys.stdout.write(_answer(path))


def _answer(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return json.dumps(index(file)._asdict())
    except ValueError as error:
        reason = str(error)[:300]
    except MemoryError:
        reason = "its pickle takes more memory than is allowed"
    except Exception as error:  # the edge of the process
        reason = f"it is damaged ({type(error).__name__})"
    return json.dumps({"reason": reason})


def _limit(kind: str, most: int) -> None:
    # A system may have no limits, or not this one, and the user may have set a tighter one.
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        resource.setrlimit(getattr(resource, kind), (most, most))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
