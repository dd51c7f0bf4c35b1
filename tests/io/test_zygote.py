"""The helper that forks decoders comes and goes with its process; no decoder, thread or copy disturbs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hostile_program
import OpenImageIO
import pytest

from headroom.errors import CorruptFile
from headroom.image import FloatImage, Hdr
from headroom.io import child, child_program, read_hdr, write_hdr
from headroom.io.child_program import Limits
from headroom.io.zygote import Zygote

pytestmark = pytest.mark.skipif(not child._FORKS, reason="no process is forked on this system")

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def zygote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zygote]:
    monkeypatch.setattr(child_program, "__file__", hostile_program.__file__)
    zygote = Zygote()
    yield zygote
    zygote.stop()


@pytest.fixture
def ask(zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that runs an action of `hostile_program` and returns its facts."""
    monkeypatch.setattr(child, "ZYGOTE", zygote)

    def run(*arguments: object) -> dict[str, Any]:
        return dict(child.decode(Path("a.exr"), b"", "exr", *arguments, title="OpenEXR", pixel_bytes=10).facts)

    return run


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")  # one that has ended stays listed until its parent asks
    return not status.exists() or ") Z" not in status.read_text()


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a script in a process group of its own."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not list open files")
def test_each_decoder_has_a_process_with_files_of_its_own(ask: Ask) -> None:
    with Path(__file__).open() as unrelated:
        os.set_inheritable(unrelated.fileno(), True)
        first, second = ask("tell"), ask("tell")
    assert first["process"] != second["process"]
    assert first["parent"] == first["group"] == second["parent"] != os.getpid()
    assert [Path(name).name.partition(":")[0] for name in first["files"]] == ["null", "noise", "noise", "socket"]


def test_threads_decode_at_the_same_time(ask: Ask, tmp_path: Path) -> None:
    """Each waits for all the others."""
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(ask, ["meet"] * 5, [str(tmp_path)] * 5, [5] * 5)) == [{}] * 5


def test_another_helper_takes_over_when_one_dies(ask: Ask) -> None:
    helpers = [ask("tell")["parent"]]
    os.kill(helpers[0], signal.SIGKILL)
    helpers.append(ask("tell")["parent"])
    with pytest.raises(CorruptFile, match="the process that starts the decoders has died"):
        ask("end the helper")
    helpers.append(ask("tell")["parent"])
    assert len(set(helpers)) == 3
    assert not is_running(helpers[0]) and not is_running(helpers[1])


def test_a_decoder_that_takes_too_long_is_ended(zygote: Zygote, tmp_path: Path) -> None:
    limits = Limits(base_bytes=2**29, facts_bytes=1000, pixel_bytes=1, pixels=1, seconds=60)
    (tmp_path / "started").mkdir()
    (tmp_path / "request").write_text(json.dumps([limits, "wait", str(tmp_path / "started")]))
    seconds = 1.0
    while not (started := list((tmp_path / "started").iterdir())):  # the helper may be slow to come
        with pytest.raises(TimeoutError):
            zygote.run("exr", tmp_path, seconds)
        seconds *= 2
    assert not is_running(int(started[0].name))


WAITING = """
import sys, tempfile
from pathlib import Path
from headroom.io import child, child_program
child_program.__file__, started, tempfile.tempdir = sys.argv[1:]
child.decode(Path("a.exr"), b"", "exr", "wait", started, title="OpenEXR", pixel_bytes=10)
"""


def test_all_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    started, temporary = tmp_path / "started", tmp_path / "temporary"  # a killed process leaves its copy behind
    started.mkdir()
    temporary.mkdir()
    with start(WAITING, hostile_program.__file__, started, temporary) as parent:
        wait_for(lambda: list(started.iterdir()))
        decoder = int(next(started.iterdir()).name)
        helper = os.getpgid(decoder)
        assert helper not in {parent.pid, os.getpgid(0)}
        parent.kill()
    wait_for(lambda: not is_running(helper) and not is_running(decoder))


INTERRUPTED = """
import sys
from headroom.io import child, read
def helper():
    return child.ZYGOTE._helper[0].pid
read(sys.argv[1])
before = helper()
try:
    print(flush=True)
    while True:
        read(sys.argv[1])
except KeyboardInterrupt:
    read(sys.argv[1])
    print(before == helper())
"""


def test_an_interrupt_reaches_the_user_alone(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.exr")
    with start(INTERRUPTED, tmp_path / "a.exr") as parent:
        parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGINT)
        assert parent.communicate()[0] == "True\n"


COPIES = """
import multiprocessing, sys
from headroom.io import child, read
def work(path):
    return read(path).pixels.sum(), child.ZYGOTE._helper[0].pid
if __name__ == "__main__":
    results = [work(sys.argv[1])]
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            results += pool.map(work, [sys.argv[1]])
    results += [work(sys.argv[1])]
    sums, helpers = zip(*results)
    print(len(set(sums)), helpers[0] == helpers[3], len(set(helpers)))
"""


def test_copies_of_the_process_have_helpers_of_their_own(tmp_path: Path, light: FloatImage) -> None:
    write_hdr(Hdr(light), tmp_path / "a.exr")
    (tmp_path / "script.py").write_text(COPIES)
    command = [sys.executable, "-W", "error", str(tmp_path / "script.py"), str(tmp_path / "a.exr")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("1 True 3\n", "")


def test_small_files_hardly_notice_it(tmp_path: Path, light: FloatImage) -> None:
    """Against the same decoder in this process; of several times the shortest, whatever else the machine does."""
    path = tmp_path / "a.exr"
    write_hdr(Hdr(light), path)

    def here() -> None:
        image = OpenImageIO.ImageInput.open(str(path))
        image.read_image("float")
        image.close()

    def shortest_s(function: Callable[[], object]) -> float:
        function()
        return min(timeit.repeat(function, number=1, repeat=10))

    assert shortest_s(lambda: read_hdr(path)) - shortest_s(here) < 0.05
