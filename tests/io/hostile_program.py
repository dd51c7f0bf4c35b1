"""The program of child processes, with a decoder that does to its process what a file could make a decoder do."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[2] / "src" / "headroom" / "io"))

import child_program


def hostile(_: str, limits: Any, action: str, *arguments: Any) -> tuple[None, dict[str, Any]]:
    facts = {}
    match action:
        case "crash":
            ctypes.string_at(0)
        case "crash beside a thread":
            threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
            ctypes.string_at(0)
        case "abort":
            os.write(2, b"terminate called")
            os.abort()
        case "end":
            os._exit(*arguments)
        case "talk":
            while True:
                os.write(1, bytes(2**16))
        case "spin":
            while True:
                pass
        case "wait":
            Path(*arguments, f"{os.getpid()}").touch()
            time.sleep(100)
        case "meet":
            folder, count = arguments
            Path(folder, f"{os.getpid()}").touch()
            while len(list(Path(folder).iterdir())) < count:
                time.sleep(0.001)
        case "close all and wait":
            os.closerange(0, 100)
            time.sleep(100)
        case "write" | "allocate":
            width, height, size, file = arguments
            limits.admit(width, height)
            if action == "allocate":
                mmap.mmap(-1, size)
            else:
                with Path(file).open("wb") as stream:
                    stream.truncate(size)
        case "end the helper":
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(100)
        case "tell":
            files = [os.path.realpath(file) for file in Path("/proc/self/fd").iterdir() if file.exists()]
            facts = {"process": os.getpid(), "parent": os.getppid(), "group": os.getpgid(0), "files": files}
    return None, facts


if __name__ == "__main__":
    child_program._DECODERS["exr"] = hostile
    child_program.main(*sys.argv[1:])
