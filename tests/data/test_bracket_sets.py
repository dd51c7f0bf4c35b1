"""The field's data sets, from folders made as users download them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from headroom.data.bracket_sets.challenge123 import find_challenge123
from headroom.data.bracket_sets.layouts import LAYOUTS, find_scenes
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, HeadroomError

CODES = [np.full((20, 24, 3), value, np.uint16) for value in (1000, 20000, 65535)]
LIGHT = np.random.default_rng(0).random((20, 24, 3)).astype(np.float32)


def write_frames(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True)
    for name, codes in zip(names, CODES, strict=True):
        deep = codes if name.endswith("tif") else (codes // 257).astype(np.uint8)
        cv2.imwrite(str(folder / name), deep)
    return folder


def write_truth(path: Path) -> None:
    cv2.imwrite(str(path), LIGHT[..., ::-1])


def kalantari(root: Path, name: str = "001") -> Path:
    folder = write_frames(root / name, ["262A0898.tif", "262A0899.tif", "262A0900.tif"])
    (folder / "exposure.txt").write_text("0.000000\n2.000000\n4.000000\n")
    write_truth(folder / "HDRImg.hdr")
    return folder


def check(scene: BracketScene, exposures_ev: tuple[float, ...]) -> None:
    """Compare a scene with what was written: codes over 65536, in gamma 2.2; the truth to the precision of RGBE."""
    bracket = scene.bracket()
    assert bracket.exposures_ev == exposures_ev
    assert bracket.reference == 1
    assert bracket.encoding is not None
    assert bracket.encoding.transfer == "gamma22"
    for photo, codes in zip(bracket.frames, CODES, strict=True):
        np.testing.assert_array_equal(photo.codes, codes.astype(np.float64) / 65536)
    assert scene.reference_exposure() == 2 ** (exposures_ev[1] - exposures_ev[0])
    np.testing.assert_allclose(scene.truth(), LIGHT, atol=LIGHT.max() / 128)
    assert scene.mask() is None


@pytest.mark.parametrize("name", ["kalantari", "tel"])
def test_kalantari_and_tel(tmp_path: Path, name: str) -> None:
    kalantari(tmp_path / "Test" / "EXTRA", "002")
    kalantari(tmp_path / "Test" / "PAPER")
    scenes = find_scenes(tmp_path, LAYOUTS[name])
    assert [scene.name for scene in scenes] == ["Test-EXTRA-002", "Test-PAPER-001"]
    check(scenes[1], (0.0, 2.0, 4.0))


def test_what_archives_leave_behind_is_passed_over(tmp_path: Path) -> None:
    folder = kalantari(tmp_path)
    (folder / "._262A0898.tif").write_bytes(b"Mac OS X")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._262A0898.tif").write_bytes(b"Mac OS X")
    (scene,) = find_scenes(tmp_path, LAYOUTS["kalantari"])
    check(scene, (0.0, 2.0, 4.0))


def test_crops_have_a_label(tmp_path: Path) -> None:
    folder = kalantari(tmp_path)
    (folder / "HDRImg.hdr").rename(folder / "label.hdr")
    check(find_scenes(tmp_path, LAYOUTS["kalantari"])[0], (0.0, 2.0, 4.0))


def test_hu_ignores_the_frames_without_motion(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "086", [f"input_{i}_aligned.tif" for i in (1, 2, 3)])
    for i in (1, 2, 3):
        cv2.imwrite(str(folder / f"ref_{i}_aligned.tif"), CODES[0])
    (folder / "input_exp.txt").write_text("-2 0 2")
    write_truth(folder / "ref_hdr_aligned_linear.hdr")
    (scene,) = find_scenes(folder, LAYOUTS["hu"])
    assert scene.name == "086"
    check(scene, (-2.0, 0.0, 2.0))


def test_challenge123_takes_one_exposure_of_every_moment(tmp_path: Path) -> None:
    for moment in (1, 2, 3):
        folder = write_frames(tmp_path / f"007_{moment}", [f"ldr_img_{i}.tif" for i in (1, 2, 3)])
        (folder / "exposure.txt").write_text("-3\n0\n3\n")
        for exposure in {1, 2, 3} - {moment}:
            cv2.imwrite(str(folder / f"ldr_img_{exposure}.tif"), np.zeros((20, 24, 3), np.uint16))
    write_truth(tmp_path / "007_2" / "hdr_img.hdr")
    (scene,) = find_challenge123(tmp_path)
    assert scene.name == "007"
    check(scene, (-3.0, 0.0, 3.0))
    (tmp_path / "007_3" / "ldr_img_3.tif").unlink()
    with pytest.raises(DataError, match=r"007_3: ldr_img_3\.tif is missing"):
        find_challenge123(tmp_path)


def check_without_exposures(scene: BracketScene) -> None:
    assert scene.bracket().exposures_ev == (None, None, None)
    assert scene.bracket().reference is None
    for ask in (scene.truth, scene.reference_exposure):
        with pytest.raises(DataError, match="Cafe"):
            ask()


def test_sen_is_read_as_its_authors_do(tmp_path: Path) -> None:
    """All *.tif and the only *.txt, whatever its name, with exponents of 2 in any order."""
    folder = write_frames(tmp_path / "Cafe", ["Img1.tif", "Img2.tif", "Img3.tif"])
    cv2.imwrite(str(folder / "preview.jpg"), CODES[0].astype(np.uint8))
    (scene,) = find_scenes(tmp_path, LAYOUTS["sen"])
    check_without_exposures(scene)
    (folder / "Cafe_exposures.txt").write_text("2.0\n0.0\n-2.0\n")
    (scene,) = find_scenes(tmp_path, LAYOUTS["sen"])
    bracket = scene.bracket()
    assert bracket.exposures_ev == (-2, 0, 2)
    assert [frame.source and frame.source.name for frame in bracket.frames] == ["Img3.tif", "Img2.tif", "Img1.tif"]


def test_tursun_takes_photos_of_any_format(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "Cafe", ["1.jpg", "2.png", "3.tif"])
    (scene,) = find_scenes(tmp_path, LAYOUTS["tursun"])
    check_without_exposures(scene)
    (folder / "exposure.txt").write_text("-2\n0\n2\n")
    (scene,) = find_scenes(tmp_path, LAYOUTS["tursun"])
    assert scene.bracket().exposures_ev == (-2, 0, 2)
    assert [photo.bit_depth for photo in scene.bracket().frames] == [8, 8, 32]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "exposure.txt").unlink(), r"001: exposure\.txt is missing"),
        (lambda folder: (folder / "HDRImg.hdr").unlink(), r"001: HDRImg\.hdr or label\.hdr is missing"),
        (lambda folder: (folder / "262A0899.tif").unlink(), "holds 2"),
        (lambda folder: (folder / "exposure.txt").write_text("0 2"), r"exposure\.txt: holds '0 2'"),
        (lambda folder: (folder / "exposure.txt").write_text("0 4 2"), "3 ascending EV"),
        (lambda folder: (folder / "exposure.txt").write_text("0 two 4"), "3 ascending EV"),
        (lambda folder: (folder / "exposure.txt").write_text("0 nan 4"), "3 ascending EV"),
        (lambda folder: (folder / "exposure.txt").write_bytes(bytes(range(256)) * 9), "3 ascending EV"),
        (lambda folder: [path.unlink() for path in folder.glob("*.tif")], r"holds no \*\.tif"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path: Path, spoil, message: str) -> None:
    spoil(kalantari(tmp_path))
    with pytest.raises(DataError, match=message):
        find_scenes(tmp_path, LAYOUTS["kalantari"])


def test_a_damaged_frame_is_found_when_it_is_read(tmp_path: Path) -> None:
    folder = kalantari(tmp_path)
    (folder / "262A0899.tif").write_bytes(b"II*\0")
    (scene,) = find_scenes(tmp_path, LAYOUTS["kalantari"])
    with pytest.raises(HeadroomError, match="262A0899"):
        scene.bracket()
