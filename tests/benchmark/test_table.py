"""Tables of scores, and what they are written as."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from headroom.benchmark.published import read_paper
from headroom.benchmark.run_file import Run
from headroom.benchmark.scores_file import MetricHeader, Scores, write_scores
from headroom.benchmark.table import Measured, Table, make_tables, read_measured
from headroom.benchmark.table_text import to_csv, to_markdown
from headroom.benchmark.telling import telling_images
from headroom.errors import DataError

HEADERS = {
    "psnr_mu": MetricHeader(name="PSNR-mu", direction="higher", unit="dB"),
    "stops": MetricHeader(name="stops", direction="lower", unit="stops"),
}


def measured(
    folder: str,
    psnr: list[float | None],
    stops: list[float | None],
    dataset: str = "kalantari:x",
    method: str = "",
    errors: int = 0,
    split: str | None = None,
) -> Measured:
    images = {f"{i:03}": {"psnr_mu": p, "stops": s} for i, (p, s) in enumerate(zip(psnr, stops, strict=True))}
    values = {"psnr_mu": psnr[0], "stops": stops[0]}
    scores = Scores(
        headroom="1",
        dataset=dataset,
        split_sha256=split,
        metrics=HEADERS,
        images=images,
        errors={f"bad{i}": "is damaged" for i in range(errors)},
        mean=values,
        p90=values,
        worst=values,
    )
    run = Run(headroom="1", method=method, preset="small", weights_sha256=None, dataset=dataset) if method else None
    return Measured(Path(folder), scores, run)


@pytest.fixture
def table() -> Table:
    """Return two methods on Kalantari's data beside what LF-Diff's paper prints."""
    ours = [measured("a", [50.0], [0.5], method="ours", errors=2), measured("b", [49.0], [0.4])]
    return make_tables(ours, [read_paper("lf_diff")])[0]


def test_the_best_is_marked_by_direction_and_kind(table: Table) -> None:
    marked = {(row.label, name) for row in table.rows for name in row.best}
    assert {("ours small", "psnr_mu"), ("b", "stops")} <= marked
    assert not {("ours small", "stops"), ("b", "psnr_mu")} & marked
    # Our 50 dB does not keep the best printed number from being the best printed one.
    best_printed = [row for row in table.rows if row.published and "psnr_mu" in row.best]
    assert [row.label for row in best_printed] == ["LF-Diff"]


def test_equal_values_are_all_best_and_a_row_alone_is_not() -> None:
    two = make_tables([measured("a", [1.0], [None]), measured("b", [1.0], [2.0])])[0]
    assert [row.best for row in two.rows] == [{"psnr_mu"}, {"psnr_mu"}]
    assert make_tables([measured("a", [1.0], [1.0])])[0].rows[0].best == set()


def test_rows_say_how_many_images_were_scored(table: Table) -> None:
    assert [(row.label, row.images) for row in table.rows if not row.published] == [("ours small", "1/3"), ("b", "1/1")]


def test_printed_rows_stay_marked_and_come_last(table: Table) -> None:
    kinds = [row.published for row in table.rows]
    assert kinds == sorted(kinds)
    assert all(row.source.startswith("LF-Diff, Table") for row in table.rows if row.published)
    assert any("Quoted from the paper's Tables" in note for note in table.notes)


def test_another_number_of_images_is_told(table: Table) -> None:
    (told,) = (note for note in table.notes if note.endswith("Do not compare."))
    assert told.startswith("LF-Diff, Table 1, upper half: over 15 images, but 1 and 3 were measured here.")
    whole = make_tables([measured("a", [50.0] * 15, [0.5] * 15)], [read_paper("lf_diff")])[0]
    assert not any(note.endswith("Do not compare.") for note in whole.notes)


def test_printed_tables_join_only_their_own_data_set() -> None:
    ours = [measured("a", [50.0], [0.5], "hu:x"), measured("b", [50.0], [0.5], "tiny:photos")]
    hu, tiny, *alone = make_tables(ours, [read_paper("lf_diff"), read_paper("sagiri")])
    assert {row.source for row in hu.rows if row.published} == {"LF-Diff, Table 1, lower half"}
    assert not any(row.published for row in tiny.rows)
    assert all(row.published for table in alone for row in table.rows)
    titles = [table.title for table in alone]
    assert titles[0] == "LF-Diff, Table 1, upper half"
    assert len(titles) == 4 + 4
    # Variants of one method are never put beside others, even on the same data.
    kalantari, *alone = make_tables([measured("a", [50.0], [0.5])], [read_paper("lf_diff")])
    assert {row.source for row in kalantari.rows if row.published} == {"LF-Diff, Table 1, upper half"}
    assert "LF-Diff, Table 3" in [table.title for table in alone]
    # Table 4 of Sagiri is about HDR-Real, but shares no metric with what was measured.
    (other, *_) = make_tables([measured("a", [1.0], [1.0], "hdr-real:x")], [read_paper("sagiri")])
    assert not any(row.published for row in other.rows)


def test_rows_share_a_table_when_they_share_a_split() -> None:
    """Wherever the data set lay; results on another split of the same name are never put beside them."""
    one = measured("a", [1.0], [1.0], "kalantari:/data/test", split="12ab" * 16)
    same = measured("b", [2.0], [1.0], "kalantari:elsewhere", split="12ab" * 16)
    other = measured("c", [3.0], [1.0], "kalantari:/data/test", split="34cd" * 16)
    first, second = make_tables([one, same, other])
    assert [row.label for row in first.rows] == ["a", "b"]
    assert first.title == "Data set kalantari:test (split 12ab12ab12ab)"
    assert [row.label for row in second.rows] == ["c"]


def test_methods_of_one_name_are_told_apart_by_their_folder() -> None:
    two = make_tables([measured("a", [1.0], [1.0], method="m"), measured("b", [1.0], [1.0], method="m")])[0]
    assert [row.label for row in two.rows] == ["m small (a)", "m small (b)"]


def test_markdown_has_a_row_for_each_method(table: Table) -> None:
    lines = to_markdown([table]).splitlines()
    assert lines[0] == "## Data set kalantari:x"
    assert lines[2].startswith("| Method | Images | PSNR-mu ↑ dB | stops ↓ |")
    assert lines[4].startswith("| ours small | 1/3 | **50.00** | 0.500 |")
    assert sum("(published: LF-Diff, Table" in line for line in lines) == 12
    assert "| *CA-ViT* (published: LF-Diff, Table 1, upper half) |  | 44.32 | – | 42.18 | 0.9916 |" in "\n".join(lines)


def test_names_of_folders_make_no_markup() -> None:
    text = to_markdown(make_tables([measured("x|y\n# <b>", [1.0], [1.0])]))
    assert "| x\\|y # &lt;b> |" in text
    assert len(text.splitlines()) == 5


def test_csv_holds_every_number_unrounded(table: Table) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv([table]))))
    ours = {(line["method"], line["metric"]): float(line["value"]) for line in lines if line["kind"] == "measured"}
    assert ours == {
        ("ours small", "psnr_mu"): 50.0,
        ("ours small", "stops"): 0.5,
        ("b", "psnr_mu"): 49.0,
        ("b", "stops"): 0.4,
    }
    printed = [line for line in lines if line["kind"] == "published" and line["source"].endswith("upper half")]
    rows = read_paper("lf_diff").tables[0].rows
    assert [float(line["value"]) for line in printed if line["method"] == "AHDR"] == list(rows["AHDR"])
    assert {line["direction"] for line in lines if line["metric"] == "stops"} == {"lower"}


def test_a_folder_without_scores_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Score it by `headroom bench score"):
        read_measured(tmp_path)
    write_scores(tmp_path, measured("a", [1.0], [1.0]).scores)
    assert read_measured(tmp_path).run is None


def test_pictures_are_of_images_on_which_methods_differ() -> None:
    one = measured("a", [30.0, 40.0, 50.0, None], [1.0] * 4)
    other = measured("b", [30.0, 49.0, 45.0, 20.0], [1.0] * 4)
    assert telling_images(make_tables([one, other])[0], 2) == ["001", "002"]
    assert telling_images(make_tables([one])[0], 1) == ["000"]
    assert telling_images(make_tables([one])[0], 9) == ["000", "001", "002", "003"]
    assert telling_images(make_tables([], [read_paper("lediff")])[0], 9) == []
