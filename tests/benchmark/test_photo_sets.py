"""The field's data sets of photos, from miniature folders made as users download them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.item import Item
from headroom.errors import DataError, InputError
from headroom.image import Hdr
from headroom.io import write_hdr

# Smooth and all but grey, since JPEG halves the resolution of colour.
LIGHT = cv2.resize(np.random.default_rng(1).random((3, 4, 1)) ** 2 * 3 + 0.02, (32, 24), interpolation=cv2.INTER_CUBIC)
LIGHT = np.maximum(LIGHT[..., None] * [0.9, 1.0, 0.95], 0.01).astype(np.float32)


def codes(light: np.ndarray) -> np.ndarray:
    """Encode light as sRGB by its standard: 8 bits."""
    light = np.clip(light, 0, 1)
    return np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def write_photo(path: Path, light: np.ndarray = LIGHT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), codes(light).astype(np.uint8)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])


def write_truth(path: Path, scale: float = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.float32(scale) * LIGHT[..., ::-1])


def hdr_real(root: Path) -> None:
    for name in ("00001", "00002"):
        write_photo(root / "LDR_in" / f"{name}.jpg")
        write_truth(root / "HDR_gt" / f"{name}.hdr")


def numbered(root: Path) -> None:
    for name in ("00004", "00006"):
        write_photo(root / name / "input.jpg")
        write_truth(root / name / "gt.hdr")


def si_hdr(root: Path) -> None:
    for clip in ("clip_95", "clip_97"):
        write_photo(root / "input" / clip / "001.png")
    (root / "reference").mkdir()
    write_hdr(Hdr(LIGHT), root / "reference" / "001.exr")


def ntire(root: Path) -> None:
    """Write what the challenge's data_io.py reads: codes of 8 bits in gamma 2.24, the truth in the medium's units."""
    root.mkdir(exist_ok=True)
    for name, ev in (("short", -3), ("medium", 0), ("long", 3)):
        frame = np.rint(255 * np.clip(LIGHT * 2.0**ev, 0, 1) ** (1 / 2.24))
        cv2.imwrite(str(root / f"0003_{name}.png"), frame.astype(np.uint8)[..., ::-1])
    encoded = LIGHT.astype(np.float64) ** (1 / 2.24)
    ratio = 65535 / encoded.max()
    cv2.imwrite(str(root / "0003_gt.png"), np.rint(encoded * ratio).astype(np.uint16)[..., ::-1])
    np.save(root / "0003_alignratio.npy", ratio)
    np.save(root / "0003_exposures.npy", np.array([1.0, 4.0, 7.0]))


def check_pair(item: Item) -> None:
    np.testing.assert_allclose(item.photo().codes, codes(LIGHT), atol=8)
    np.testing.assert_allclose(item.truth().pixels, LIGHT, atol=LIGHT.max() / 128)


@pytest.mark.parametrize(
    ("words", "make", "names"),
    [
        ("hdr-real", hdr_real, ["00001", "00002"]),
        ("hdr-eye", numbered, ["00004", "00006"]),
        ("si-hdr", si_hdr, ["clip_95-001", "clip_97-001"]),
    ],
)
def test_pairs_are_found(tmp_path: Path, words: str, make: Callable[[Path], None], names: list[str]) -> None:
    make(tmp_path)
    for photo in [*tmp_path.rglob("*.jpg"), *tmp_path.rglob("*.png")]:
        photo.with_name(f"._{photo.name}").write_bytes(b"what an archive of Mac OS X leaves behind")
    items = open_dataset(f"{words}:{tmp_path}")
    assert [item.name for item in items] == names
    for item in items:
        check_pair(item)
        assert len(item.files) == 2


def test_sets_that_lie_side_by_side_keep_their_names_apart(tmp_path: Path) -> None:
    hdr_real(tmp_path / "train")
    hdr_real(tmp_path / "test")
    names = [item.name for item in open_dataset(f"hdr-real:{tmp_path}")]
    assert names == ["test-00001", "test-00002", "train-00001", "train-00002"]


@pytest.mark.parametrize("below", ["", "val_256", "data_large/a/abbey"])
def test_places365_has_photos_alone(tmp_path: Path, below: str) -> None:
    write_photo(tmp_path / below / "Places365_val_00000001.jpg")
    (item,) = open_dataset(f"places365:{tmp_path}")
    assert item.name == "-".join([*Path(below).parts, "Places365_val_00000001"])
    assert item.photo().width == 32
    with pytest.raises(DataError, match="has no truth"):
        item.truth()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("hdr-real", "holds neither LDR_in"),
        ("eye-under", "holds neither LDR_in"),
        ("si-hdr", r"holds no input/clip_95/\*\.png"),
        ("places365", r"holds no \*\.jpg"),
        ("ntire", r"holds no file like 0000_medium\.png"),
        ("ntire-brackets", r"holds no file like 0000_medium\.png"),
    ],
)
def test_an_empty_folder_is_refused(tmp_path: Path, words: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        open_dataset(f"{words}:{tmp_path}")


@pytest.mark.parametrize(
    ("words", "make", "lost", "message"),
    [
        ("hdr-real", hdr_real, "HDR_gt/00002.hdr", r"HDR_gt/00002\.hdr: is missing, one of 1"),
        ("hdr-eye", numbered, "00004/gt.hdr", r"00004/gt\.hdr: is missing"),
        ("si-hdr", si_hdr, "reference/001.exr", r"reference/001\.exr: is missing, one of 2"),
        ("ntire", ntire, "0003_alignratio.npy", r"0003_alignratio\.npy is missing"),
        ("ntire-brackets", ntire, "0003_long.png", r"0003_long\.png is missing"),
        ("ntire-brackets", ntire, "0003_exposures.npy", r"0003_exposures\.npy is missing"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, words: str, make: Callable[[Path], None], lost: str, message: str
) -> None:
    make(tmp_path)
    (tmp_path / lost).unlink()
    with pytest.raises(DataError, match=message):
        open_dataset(f"{words}:{tmp_path}")


def test_ntire_photos_are_in_the_units_of_their_truth(tmp_path: Path) -> None:
    from headroom.colour.transfer import decode_codes

    ntire(tmp_path)
    (item,) = open_dataset(f"ntire:{tmp_path}")
    photo, truth = item.photo(), item.truth().pixels
    assert item.name == "0003"
    np.testing.assert_allclose(truth, LIGHT, rtol=2e-3, atol=1e-4)
    linear = decode_codes(photo.codes, photo.encoding, photo.bit_depth)
    np.testing.assert_allclose(linear, np.minimum(truth, 1), atol=0.006)


def test_ntire_brackets_tell_the_same_light_in_every_frame(tmp_path: Path) -> None:
    from headroom.colour.transfer import decode_codes

    ntire(tmp_path)
    (scene,) = open_dataset(f"ntire-brackets:{tmp_path}")
    bracket, truth = scene.bracket(), scene.truth()
    assert bracket.exposures_ev == scene.exposures_ev == (1, 4, 7)
    assert scene.reference_exposure() == 8
    assert bracket.encoding is not None
    for number, photo in enumerate(bracket.frames):
        linear = decode_codes(photo.codes, bracket.encoding, photo.bit_depth)
        np.testing.assert_allclose(linear, np.minimum(truth * 8.0**number, 1), atol=0.006)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not numbers"])
def test_damaged_numbers_are_named(tmp_path: Path, content: bytes) -> None:
    ntire(tmp_path)
    (tmp_path / "0003_alignratio.npy").write_bytes(content)
    (item,) = open_dataset(f"ntire:{tmp_path}")
    with pytest.raises(InputError, match=r"alignratio\.npy: is damaged"):
        item.truth()
    np.save(tmp_path / "0003_exposures.npy", np.array([4.0, 1.0, 7.0]))
    with pytest.raises(DataError, match="three ascending EV"):
        open_dataset(f"ntire-brackets:{tmp_path}")


def test_a_challenge_without_truths_can_still_be_run(tmp_path: Path) -> None:
    ntire(tmp_path)
    (tmp_path / "0003_gt.png").unlink()
    for words in ("ntire", "ntire-brackets"):
        (item,) = open_dataset(f"{words}:{tmp_path}")
        with pytest.raises(DataError, match="was not handed out"):
            item.truth()


@pytest.mark.parametrize(("words", "ev"), [("eye-over", 2), ("eye-under", -2)])
def test_eye_over_and_under_take_the_scene_again(tmp_path: Path, words: str, ev: int) -> None:
    write_photo(tmp_path / "LDR_in" / "1.jpg")
    write_truth(tmp_path / "HDR_gt" / "1.hdr", scale=0.3)  # of another scale than the photo
    (item,) = open_dataset(f"{words}:{tmp_path}")
    expected = codes(LIGHT * 2.0**ev)
    np.testing.assert_allclose(item.photo().codes, expected, atol=4)
    assert item.photo().encoding.known


def test_a_photo_of_unknown_exposure_costs_one_row(tmp_path: Path) -> None:
    write_photo(tmp_path / "LDR_in" / "1.jpg", np.ones((24, 32, 3)))
    write_truth(tmp_path / "HDR_gt" / "1.hdr")
    (item,) = open_dataset(f"eye-over:{tmp_path}")
    with pytest.raises(DataError, match="1: nothing is well exposed"):
        item.photo()
