from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headroom.errors import InputError, UsageError
from headroom.io.bracket import group_folder, read_bracket
from headroom.io.exposure import exif_exposure_ev

START = datetime(2026, 5, 1, 12)
SIZE = (24, 16)


def photograph(
    path: Path,
    *,
    time_s: float | None = 0.01,
    iso: int = 100,
    f_number: float = 4.0,
    after_s: float = 0.0,
    serial: str = "1",
    size: tuple[int, int] = SIZE,
) -> Path:
    """Write a JPEG with the EXIF block of Pillow, an encoder that knows nothing of ours."""
    exif = Image.Exif()
    exif[0x0110] = "Test camera"
    details = exif.get_ifd(0x8769)
    details[0x9003] = (START + timedelta(seconds=after_s)).strftime("%Y:%m:%d %H:%M:%S")
    details[0xA431] = serial
    if time_s is not None:
        details[0x829A], details[0x829D], details[0x8827] = time_s, f_number, iso
    Image.fromarray(np.full((*size[::-1], 3), 90, np.uint8)).save(path, exif=exif)
    return path


def names(groups: list[list[Path]]) -> list[list[str]]:
    return [[path.name for path in group] for group in groups]


def test_exposure_counts_time_aperture_and_sensitivity(tmp_path: Path) -> None:
    paths = [
        photograph(tmp_path / "a.jpg", time_s=1 / 64, f_number=4.0, iso=100),
        photograph(tmp_path / "b.jpg", time_s=1 / 16, f_number=4.0, iso=100),
        photograph(tmp_path / "c.jpg", time_s=1 / 64, f_number=8.0, iso=400),
        photograph(tmp_path / "d.jpg", time_s=None),
    ]
    first, longer, same, unknown = read_bracket(paths).exposures_ev
    assert first == pytest.approx(-6 - 4)
    assert longer == pytest.approx(first + 2)
    assert same == pytest.approx(first)
    assert unknown is None
    assert exif_exposure_ev(None) is None


def test_given_exposures_come_before_the_list_and_that_before_exif(tmp_path: Path) -> None:
    paths = [photograph(tmp_path / name) for name in ("b.jpg", "a.jpg", "c d.jpg")]
    (tmp_path / "exposure.txt").write_text("-2\n0\n3\n")
    assert read_bracket(paths).exposures_ev == (0, -2, 3)
    (tmp_path / "exposure.txt").write_text("c d.jpg 1.5  # the long one\nb.jpg 0\n\na.jpg -1\n")
    assert read_bracket(paths).exposures_ev == (0, -1, 1.5)
    assert read_bracket(paths, [1, 2, 3]).exposures_ev == (1, 2, 3)


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        ("0\n", "lists 1 exposures for 2"),
        ("a.jpg 0\n", "says nothing about b.jpg"),
        ("0\nbright\n", "gives 'bright' for b.jpg"),
        ("0\nnan\n", "gives 'nan' for b.jpg"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, listing: str, words: str) -> None:
    paths = [photograph(tmp_path / name) for name in ("a.jpg", "b.jpg")]
    (tmp_path / "exposure.txt").write_text(listing)
    with pytest.raises(InputError, match=rf"exposure\.txt: {words}"):
        read_bracket(paths)


def test_a_wrong_number_of_frames_or_exposures_is_named(tmp_path: Path) -> None:
    path = photograph(tmp_path / "a.jpg")
    for count in (0, 1, 10):
        with pytest.raises(InputError, match=f"2 to 9 frames, not {count}"):
            read_bracket([path] * count)
    assert len(read_bracket([path] * 9).frames) == 9
    with pytest.raises(UsageError, match="3 exposures for 2 frames"):
        read_bracket([path, path], [0, 1, 2])


def test_an_unreadable_frame_is_named(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(b"no photo")
    with pytest.raises(InputError, match=r"b\.jpg"):
        read_bracket([photograph(tmp_path / "a.jpg"), tmp_path / "b.jpg"])


def test_a_folder_is_parted_at_pauses_and_repeated_exposures(tmp_path: Path) -> None:
    times = [0.01, 0.0025, 0.04] * 2 + [0.01, 0.0025]
    starts = [0, 0, 1, 2, 2, 3, 60, 61]
    for i, (time_s, after_s) in enumerate(zip(times, starts, strict=True)):
        photograph(tmp_path / f"IMG_{i}.jpg", time_s=time_s, after_s=after_s)
    (tmp_path / "notes.txt").write_text("none of these")
    assert names(group_folder(tmp_path)) == [
        ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg"],
        ["IMG_3.jpg", "IMG_4.jpg", "IMG_5.jpg"],
        ["IMG_6.jpg", "IMG_7.jpg"],
    ]


def test_a_long_exposure_is_no_pause(tmp_path: Path) -> None:
    for i, (time_s, after_s) in enumerate([(1.0, 0), (8.0, 9), (30.0, 40)]):
        photograph(tmp_path / f"{i}.jpg", time_s=time_s, after_s=after_s)
    assert names(group_folder(tmp_path)) == [["0.jpg", "1.jpg", "2.jpg"]]


def test_two_cameras_at_once_and_photos_alone_are_kept_apart(tmp_path: Path) -> None:
    for i, serial in enumerate("1212"):
        photograph(tmp_path / f"{i}.jpg", time_s=0.01 * 4**i, after_s=i, serial=serial)
    photograph(tmp_path / "small.jpg", after_s=4, size=(8, 8))
    photograph(tmp_path / "unknown.jpg", time_s=None, after_s=4)
    found = names(group_folder(tmp_path))
    assert sorted(found) == [["0.jpg", "2.jpg"], ["1.jpg", "3.jpg"], ["small.jpg"], ["unknown.jpg"]]


def test_no_group_is_longer_than_a_bracket_can_be(tmp_path: Path) -> None:
    for i in range(11):
        photograph(tmp_path / f"{i:02}.jpg", time_s=0.001 * 2**i, after_s=i)
    assert [len(group) for group in group_folder(tmp_path)] == [9, 2]


def test_a_folder_without_photos_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no photo"):
        group_folder(tmp_path)
