"""`headroom merge --method gmodiff`: the predicted gain map in a file, and the released network from a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from gmodiff_released import Released
from numpy.typing import NDArray
from PIL import Image

from headroom import read_photo
from headroom.io import read_hdr
from headroom.methods.gmodiff.settings import DaRegSettings

Run = Callable[..., int]
CAPTURE = ("--ev=-2,0,2", "--curve=gamma22")


@pytest.fixture
def frames(tmp_path: Path) -> list[Path]:
    """Three JPEGs of a scene with a lamp; between them a dark square moves."""
    y, x = np.mgrid[:96, :128] / 96
    lamp = 3 * np.exp(-((y - 0.4) ** 2 + (x - 0.6) ** 2) / 0.02)
    light = np.stack([0.05 + 0.3 * y, 0.08 + 0.2 * x, 0.3 - 0.2 * y], axis=-1) + lamp[..., None]
    paths = []
    for number, ev in enumerate((-2, 0, 2)):
        moved = light.copy()
        moved[60:76, 20 + 12 * number : 36 + 12 * number] = 0.03
        paths.append(tmp_path / f"{number}.jpg")
        codes = np.rint(255 * np.clip(moved * 2.0**ev, 0, 1) ** (1 / 2.2)).astype(np.uint8)
        Image.fromarray(codes).save(paths[-1], quality=95, subsampling=0)
    return paths


def stops_between(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the difference in the domain of gain maps, whose offsets are 1/64."""
    return np.abs(np.log2((one + 1 / 64) / (other + 1 / 64)))


def test_the_predicted_map_lies_on_the_reference_and_gives_its_light_back(frames: list[Path], run: Run) -> None:
    light, lit, shown = (frames[0].with_name(name) for name in ("light.exr", "lit.jpg", "shown.exr"))
    for out in (light, lit):
        assert run("merge", *frames, "-o", out, *CAPTURE, "--method", "gmodiff", "--predicted") == 0
    with Image.open(lit) as base, Image.open(frames[1]) as reference:
        np.testing.assert_array_equal(np.asarray(base), np.asarray(reference))
    assert run("expand", lit, "-o", shown) == 0  # by the map that it carries
    assert read_hdr(shown).provenance["gain_map"] == "used (iso)"
    gain_map = read_photo(lit).gain_map
    assert gain_map is not None
    code = (gain_map.maximum[0] - gain_map.minimum[0]) / 255  # in stops
    predicted = read_hdr(light).pixels
    by_libultrahdr = np.asarray(imagecodecs.ultrahdr_decode(lit.read_bytes(), dtype="float16"), np.float32)[..., :3]
    for found in (read_hdr(shown).pixels, by_libultrahdr):
        stops = stops_between(found, predicted)
        assert np.median(stops) < 2 * code
        assert np.quantile(stops, 0.999) < code + 0.1  # the map is a JPEG itself


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Already found a `peft_config`")
def test_the_released_files_beside_stable_diffusion_merge(frames: list[Path], run: Run) -> None:
    folder = frames[0].with_name("released")
    Released(regressor=DaRegSettings()).write(folder)  # the regressor in its own size
    for source in (folder / "dareg_mask.pth", folder / "gmodiff.pkl"):
        assert run("weights", "import", source, "-o", source.with_suffix(".safetensors"), "--dtype", "float16") == 0
    refined, regressed = (frames[0].with_name(name) for name in ("refined.exr", "regressed.exr"))
    words = ("merge", *frames, *CAPTURE, "--method", "gmodiff", "--predicted")
    assert run(*words, "-o", refined, "--preset", "paper", "--weights", folder) == 0
    regressor = folder / "dareg_mask.safetensors"
    assert run(*words, "-o", regressed, "--preset", "regressor_paper", "--weights", regressor) == 0
    found = read_hdr(refined)
    assert found.provenance["preset"] == "paper"
    assert np.isfinite(found.pixels).all()
    assert stops_between(found.pixels, read_hdr(regressed).pixels).mean() > 0.1
