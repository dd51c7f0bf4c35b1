from __future__ import annotations

import platform
import subprocess
import sys

import pytest

TILES = """
import resource, sys
from headroom.cli.heap import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    layers = [b"x" * (24 * 2**20) for _ in range(6)]
    del layers
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have a heap of their own")
def test_a_tile_takes_the_memory_of_the_one_before() -> None:
    def page_faults(heap: str) -> int:
        run = subprocess.run([sys.executable, "-c", TILES, heap], capture_output=True, text=True, check=True)
        return int(run.stdout)

    assert page_faults("kept") < page_faults("usual") / 4
