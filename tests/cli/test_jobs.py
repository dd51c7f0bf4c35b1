"""Planning a batch: which photo becomes which file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headroom.cli.jobs import Job, plan
from headroom.errors import UsageError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def targets(jobs: list[Job], out: Path) -> list[str]:
    return [job.target.relative_to(out).as_posix() for job in jobs]


def test_one_photo_and_a_file(tmp_path: Path) -> None:
    source, out = tmp_path / "a.jpg", tmp_path / "b.EXR"
    assert plan([source], out, format_name=None, preview=True) == [Job(source, out, tmp_path / "b.preview.jpg")]


@pytest.mark.parametrize("out", ["results", "results/deep"])
def test_one_photo_and_a_folder(tmp_path: Path, out: str) -> None:
    jobs = plan([tmp_path / "a.png"], tmp_path / out, format_name="exr", preview=False)
    assert jobs == [Job(tmp_path / "a.png", tmp_path / out / "a.exr", None)]


def test_existing_folder_with_a_dot_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "v1.exr").mkdir()
    jobs = plan([tmp_path / "a.png"], tmp_path / "v1.exr", format_name=None, preview=False)
    assert jobs[0].target == tmp_path / "v1.exr" / "a.jpg"


def test_folders_keep_their_structure_and_skip_what_is_no_photo(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "photos" / "hdr"
    touch(photos / "b" / "x.JPG", photos / "a.webp", photos / "notes.txt", photos / "._a.webp", out / "a.jpg")
    jobs = plan([photos], out, format_name=None, preview=False)
    assert targets(jobs, out) == ["a.jpg", "b/x.jpg"]


def test_equal_stems_get_longer_names(tmp_path: Path) -> None:
    inputs = [tmp_path / name for name in ("p.jpg", "p.png", "one/q.jpg", "two/q.jpg", "Q2.jpg", "q2.png", "z.jpg")]
    jobs = plan(inputs, tmp_path / "out", format_name="hdr", preview=False)
    assert targets(jobs, tmp_path / "out") == [
        "p.jpg.hdr",
        "p.png.hdr",
        "one/q.jpg.hdr",
        "two/q.jpg.hdr",
        "Q2.jpg.hdr",
        "q2.png.hdr",
        "z.hdr",
    ]


def test_a_preview_does_not_meet_another_output(tmp_path: Path) -> None:
    inputs = [tmp_path / "p.png", tmp_path / "p.preview.png"]
    files = [path for job in plan(inputs, tmp_path / "out", format_name=None, preview=True) for path in job.files]
    assert len(set(files)) == 4


def test_a_photo_given_twice_is_done_once(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "a.jpg")
    jobs = plan([tmp_path / "in", tmp_path / "in" / "a.jpg"], tmp_path / "out", format_name=None, preview=False)
    assert len(jobs) == 1


FOLDERS = st.sampled_from(["", "d/", "e/"])
STEMS = st.sampled_from(["a", "A", "b", "a.jpg", "a.png"])
SUFFIXES = st.sampled_from([".jpg", ".png", ".preview.png"])


@given(
    st.lists(st.builds("{}{}{}".format, FOLDERS, STEMS, SUFFIXES), min_size=2, unique_by=str.casefold), st.booleans()
)
def test_no_two_outputs_meet(names: list[str], preview: bool) -> None:
    jobs = plan([Path("/in") / name for name in names], Path("/out"), format_name=None, preview=preview)
    files = [str(path).casefold() for job in jobs for path in job.files]
    assert [job.source for job in jobs] == [Path("/in") / name for name in names]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize(
    ("inputs", "out", "format_name", "message"),
    [
        (["a.jpg"], "b.xyz", None, "the suffix names no format"),
        (["a.jpg"], "b.exr", "hdr", "Radiance HDR is written to .hdr"),
        (["a.jpg", "b.jpg"], "taken", None, "names one file, but several results need a folder"),
        (["a.jpg", "b.jpg"], "new.exr", None, "names one file, but several results need a folder"),
        (["a.jpg"], "a.jpg", None, "is an input and would be replaced"),
        (["a.jpg", "b.jpg"], ".", None, "is an input and would be replaced"),
        (["empty"], "out", None, "no photos"),
    ],
)
def test_wrong_usage(tmp_path: Path, inputs: list[str], out: str, format_name: str | None, message: str) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "taken")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        plan([tmp_path / name for name in inputs], tmp_path / out, format_name=format_name, preview=False)
