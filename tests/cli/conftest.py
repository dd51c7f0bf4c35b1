"""A photo with clipped lamps, made here, and the command line as a function."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headroom.cli import main
from headroom.methods import load
from headroom.weights.writer import pack

Run = Callable[..., int]


@pytest.fixture(scope="session")
def photo_bytes() -> bytes:
    """Return a 160 x 120 JPEG: a smooth evening sky, dark ground, and two lamps far above white."""
    y, x = np.mgrid[0:120, 0:160] / 120.0
    linear = np.stack([0.08 + 0.3 * y, 0.1 + 0.2 * y, 0.35 - 0.1 * y], axis=-1)
    for lamp_x, lamp_y, colour in ((0.4, 0.5, (9.0, 6.0, 3.0)), (1.0, 0.7, (4.0, 5.0, 6.0))):
        distance = np.hypot(x - lamp_x, y - lamp_y)
        linear += np.exp(-((distance / 0.08) ** 2))[..., None] * np.array(colour)
    codes = np.rint(255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    jpeg = io.BytesIO()
    Image.fromarray(codes).save(jpeg, "JPEG", quality=95, subsampling=0)
    return jpeg.getvalue()


@pytest.fixture
def photo(tmp_path: Path, photo_bytes: bytes) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo_bytes)
    return path


@pytest.fixture(scope="session")
def untrained_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of random weights for the default method, so that these tests need no trained ones."""
    method = load("hybrid_ae")
    torch.manual_seed(0)
    network = method.build(method.presets[method.default_preset].settings)
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    pack(network.state_dict(), path, {})
    return path


@pytest.fixture
def interrupt() -> Callable[..., list[Path]]:
    """Return a function that runs a batch in a process of its own and presses Ctrl-C after the first result."""

    def call(*words: str | Path, out: Path) -> list[Path]:
        """Check that the process leaves as it should, and return what it left in `out`, all of it whole."""
        command = [sys.executable, "-m", "headroom", *map(str, words), "-o", str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, talk = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "what is finished is kept" in talk
        assert "Traceback" not in talk
        files = sorted(out.iterdir())
        for file in files:
            with Image.open(file) as picture:
                picture.load()
        return files

    return call


@pytest.fixture
def run() -> Run:
    """Return a function that runs the command line in this process and returns its exit code."""

    def call(*words: str | Path) -> int:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        return int(left.value.code or 0)

    return call
