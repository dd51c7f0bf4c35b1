"""Camera RAW: a mosaic with known light becomes that light."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rawpy")
pytest.importorskip("pillow_heif")

from makers import SRGB_TO_XYZ, dng

from headroom.colour.primaries import convert
from headroom.errors import LimitExceeded, MissingDependency
from headroom.image import Hdr
from headroom.io import describe, orientation, read

NEUTRAL = np.array([0.5, 1.0, 0.7])


def flat(colour: tuple[float, float, float]) -> np.ndarray:
    return np.broadcast_to(np.array(colour), (40, 60, 3)).copy()


def middle(path: Path) -> np.ndarray:
    result = read(path)
    assert isinstance(result, Hdr)
    assert result.primaries == "bt2020"
    return result.pixels[10:-10, 10:-10]


@pytest.mark.parametrize("level", [0.0, 0.01, 0.25, 1.0])
def test_grey_is_grey_and_white_is_where_green_clips(tmp_path: Path, level: float) -> None:
    (tmp_path / "a.dng").write_bytes(dng(flat(tuple(level * NEUTRAL))))
    np.testing.assert_allclose(middle(tmp_path / "a.dng"), level, atol=2e-4)


def test_each_channel_goes_on_to_its_own_clip_level(tmp_path: Path) -> None:
    (tmp_path / "a.dng").write_bytes(dng(flat((1.0, 1.0, 1.0))))
    expected = convert((1 / NEUTRAL).astype(np.float32).reshape(1, 1, 3), "bt709", "bt2020")
    np.testing.assert_allclose(middle(tmp_path / "a.dng"), np.broadcast_to(expected, (20, 40, 3)), atol=2e-4)


def test_colours_of_the_matrix(tmp_path: Path) -> None:
    matrix = np.array([[0.7, -0.2, -0.05], [-0.4, 1.2, 0.2], [-0.1, 0.2, 0.6]])
    camera = np.array([0.3, 0.5, 0.2])
    (tmp_path / "a.dng").write_bytes(dng(flat(tuple(camera)), color_matrix=matrix))
    # What sRGB looks like to this camera, white balanced so that white stays white, solved for the sRGB.
    seen = matrix @ SRGB_TO_XYZ
    srgb = np.linalg.solve(seen / seen.sum(axis=1, keepdims=True), camera / NEUTRAL)
    expected = convert(srgb.astype(np.float32).reshape(1, 1, 3), "bt709", "bt2020")[0, 0]
    np.testing.assert_allclose(middle(tmp_path / "a.dng").mean(axis=(0, 1)), expected, atol=5e-4)


@pytest.mark.parametrize("turn", range(1, 9))
def test_orientation(tmp_path: Path, turn: int) -> None:
    scene = flat((0.4, 0.8, 0.5))
    scene[:20, :30] /= 4
    for name, number in (("upright.dng", 1), ("turned.dng", turn)):
        (tmp_path / name).write_bytes(dng(scene, orientation=number))
    upright, turned = read(tmp_path / "upright.dng").pixels, read(tmp_path / "turned.dng").pixels
    assert np.array_equal(turned, orientation.apply(upright, turn))
    facts = describe(tmp_path / "turned.dng")
    assert (facts.height, facts.width) == turned.shape[:2]
    assert (facts.container, facts.kind, facts.bit_depth, facts.orientation) == ("raw", "hdr", 14, turn)


def test_name_plays_no_part(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(dng(flat((0.1, 0.2, 0.1))))
    assert describe(tmp_path / "a.tif").container == "raw"


def test_huge_declared_size_is_refused(tmp_path: Path) -> None:
    content = bytearray(dng(flat((0.1, 0.2, 0.1))))
    for tag in (b"\x00\x01\x04\x00", b"\x01\x01\x04\x00", b"\x00\x01\x03\x00", b"\x01\x01\x03\x00"):
        at = content.find(tag, 8, 400)
        if at >= 0:
            content[at : at + 12] = tag[:2] + b"\x04\0\x01\0\0\0" + (40_000).to_bytes(4, "little")
    (tmp_path / "a.dng").write_bytes(content)
    with pytest.raises(LimitExceeded, match="40000 x 40000"):
        read(tmp_path / "a.dng")


def test_missing_package_is_named_with_the_line_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.dng").write_bytes(dng(flat((0.1, 0.2, 0.1))))
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingDependency, match=r"a\.dng: .*pip install 'headroom-hdr\[raw\]'"):
        read(tmp_path / "a.dng")
