"""Damaged files of every kind: one of our errors that names the file, or a complete picture, soon and in little memory.

`make test-all` tries 2,000 changes a kind and every length; the default run a sample of them, by the same seed.
`pytest --log-cli-level=info` says what came of them: how many pictures, how many of which error, and the memory.
"""

from __future__ import annotations

import logging
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from samples import IN_A_CHILD, SAMPLES

from headroom.errors import CorruptFile, HeadroomError
from headroom.image import Photo
from headroom.io import describe, read

CHANGES = 2000
IN_DEFAULT_RUN, IN_DEFAULT_RUN_OF_CHILDREN = 150, 50
# For pictures of a few hundred pixels: processor time of this process, time by the clock, memory.
LONGEST_S, LONGEST_WALL_S, MOST_MIB = 10.0, 60.0, 256
PROCESS = Path("/proc/self")
TELLING = [0, 1, 0x7F, 0x80, 0xFF]


def changes(content: bytes, count: int) -> Iterator[bytes]:
    """Yield `content` with some bytes replaced, numbers made extreme, parts lost, repeated or moved."""
    generator = np.random.default_rng(2026)
    for _ in range(count):
        data = bytearray(content)
        # Half of the changes fall into the first bytes, where the headers are.
        end = len(data) if generator.random() < 0.5 else min(400, len(data))
        at = int(generator.integers(0, end))
        length = int(generator.integers(1, 9))
        match generator.integers(0, 5):
            case 0:
                for place in generator.integers(0, end, length):
                    data[place] = int(generator.integers(0, 256))
            case 1:
                data[at : at + length] = bytes([int(generator.choice(TELLING))]) * length
            case 2:
                data[at] ^= 1 << int(generator.integers(0, 8))
            case 3:
                del data[at : at + length * 4]
            case 4:
                data[at:at] = data[max(0, at - length * 4) : at]
        yield bytes(data)


def lengths(content: bytes, step: int) -> Iterator[bytes]:
    """Yield the beginnings of `content`."""
    for size in range(0, len(content), step):
        yield content[:size]


def outcome(path: Path, data: bytes) -> str:
    """Read a file, look at what comes and return its name."""
    path.write_bytes(data)
    started, started_wall = time.process_time(), time.monotonic()
    try:
        facts = describe(path)
        image = read(path)
    except HeadroomError as error:
        assert path.name in str(error)
        assert len(str(error)) < 1000
        name = type(error).__name__
    else:
        raster = image.codes if isinstance(image, Photo) else image.pixels
        assert raster.shape == (facts.height, facts.width, 3)
        assert np.isfinite(raster).all()
        name = "picture"
    assert time.process_time() - started < LONGEST_S
    assert time.monotonic() - started_wall < LONGEST_WALL_S
    path.unlink()
    return name


def check(folder: Path, cases: Iterator[bytes], *, threads: int = 1) -> None:
    """Try all cases and log what came of them."""
    before = start_of_peak_mib()
    with ThreadPoolExecutor(threads) as pool:
        paths = (folder / f"{number}" for number in range(10**6))
        counts = Counter(pool.map(outcome, paths, cases))
    taken = None if before is None else memory_mib("VmHWM") - before
    logging.getLogger(__name__).info("%s, %s MiB", dict(counts), taken)
    assert taken is None or taken < MOST_MIB


def start_of_peak_mib() -> int | None:
    """Let the peak of memory start again and return the memory now, where the system can do that."""
    if not (PROCESS / "clear_refs").exists():
        return None
    (PROCESS / "clear_refs").write_text("5")
    return memory_mib("VmRSS")


def memory_mib(name: str) -> int:
    return int((PROCESS / "status").read_text().partition(f"{name}:")[2].split()[0]) // 1024


@pytest.mark.parametrize("kind", SAMPLES)
def test_changed_files(tmp_path: Path, kind: str) -> None:
    count = IN_DEFAULT_RUN_OF_CHILDREN if kind in IN_A_CHILD else IN_DEFAULT_RUN
    check(tmp_path, changes(SAMPLES[kind](tmp_path), count))


@pytest.mark.parametrize("kind", SAMPLES)
def test_truncated_files(tmp_path: Path, kind: str) -> None:
    content = SAMPLES[kind](tmp_path)
    count = IN_DEFAULT_RUN_OF_CHILDREN if kind in IN_A_CHILD else IN_DEFAULT_RUN
    check(tmp_path, lengths(content, -(-len(content) // count)))


def test_a_tiff_of_an_unknown_planar_configuration(tmp_path: Path) -> None:
    content = bytearray(SAMPLES["tiff"](tmp_path))
    with tifffile.TiffFile(BytesIO(content)) as file:
        content[file.pages[0].tags[284].offset + 9] = 0xC4
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(CorruptFile):
        read(tmp_path / "a")


@pytest.mark.parametrize("tag", ["Compression", "PhotometricInterpretation"])
def test_a_tiff_that_gives_a_list_for_a_number(tmp_path: Path, tag: str) -> None:
    content = bytearray(SAMPLES["tiff"](tmp_path))
    with tifffile.TiffFile(BytesIO(content)) as file:
        at = file.pages[0].tags[tag].offset
    content[at + 4 : at + 12] = struct.pack("<II", 500, 8)
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(HeadroomError) as caught:
        read(tmp_path / "a")
    assert len(str(caught.value)) < len(str(tmp_path)) + 200


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SAMPLES)
def test_two_thousand_changes(tmp_path: Path, kind: str) -> None:
    threads = (os.cpu_count() or 1) if kind in IN_A_CHILD else 1
    check(tmp_path, changes(SAMPLES[kind](tmp_path), CHANGES), threads=threads)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_length(tmp_path: Path, kind: str) -> None:
    threads = (os.cpu_count() or 1) if kind in IN_A_CHILD else 1
    check(tmp_path, lengths(SAMPLES[kind](tmp_path), 1), threads=threads)
