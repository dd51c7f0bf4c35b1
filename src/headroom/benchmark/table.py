"""Tables of scores: measured rows from folders, and beside them rows that papers printed, which stay marked as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headroom.benchmark.published import PublishedPaper, PublishedTable
from headroom.benchmark.run_file import Run, read_run
from headroom.benchmark.scores_file import Scores, Values, read_scores
from headroom.errors import DataError
from headroom.metrics.contract import Direction


@dataclass(frozen=True, slots=True)
class Column:
    """One metric.

    Attributes:
        id: Its id.
        name: Name for a person.
        direction: Which way is better.
        unit: Unit; empty for a plain number.
    """

    id: str
    name: str
    direction: Direction
    unit: str

    @property
    def heading(self) -> str:
        """Name, direction and unit in a few characters."""
        unit = "" if self.unit in self.name else self.unit
        return f"{self.name} {'↑' if self.direction == 'higher' else '↓'} {unit}".rstrip()

    def text(self, value: float | None) -> str:
        """Write a value with as many places as tell methods apart."""
        if value is None:
            return "–"
        return f"{value:.{2 if self.unit in {'dB', '%'} or abs(value) >= 10 else 4 if not self.unit else 3}f}"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a folder of results scored.

    Attributes:
        folder: The folder.
        scores: Its scores.
        run: How the results were made, where Headroom made them.
    """

    folder: Path
    scores: Scores
    run: Run | None


@dataclass(frozen=True, slots=True)
class Row:
    """One method.

    Attributes:
        label: Method.
        source: Folder, or paper and table.
        published: True for numbers that somebody printed; False for those measured here.
        images: How many images were scored, and of how many; empty for published numbers.
        values: Mean by metric.
        best: Metrics in which no other measured row, or no other of the same printed table, is better.
    """

    label: str
    source: str
    published: bool
    images: str
    values: Values
    best: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that are about one data set.

    Attributes:
        title: Data set, or paper and table.
        columns: Metrics.
        rows: Measured ones first.
        notes: What a reader must know before comparing.
        measured: What the measured rows were made of, in their order; none where all rows were printed.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    measured: tuple[Measured, ...] = ()


def read_measured(folder: Path) -> Measured:
    """Read what a folder scored.

    Raises:
        DataError: It was not scored yet, or a file is damaged.
    """
    scores = read_scores(folder)
    if scores is None:
        raise DataError(f"{folder}: holds no scores.json. Score it by `headroom bench score {folder} DATASET`.")
    return Measured(folder, scores, read_run(folder))


def make_tables(measured: Sequence[Measured], papers: Sequence[PublishedPaper] = ()) -> list[Table]:
    """Make one table for each split that was measured, and one for each printed table about none of these.

    A printed table joins the measured one of the same kind of data set when they share a metric, unless it is about
    variants of one method.
    """
    splits: dict[tuple[str, str], list[Measured]] = {}
    for one in measured:
        splits.setdefault(_split_of(one.scores), []).append(one)
    printed = [(paper, table) for paper in papers for table in paper.tables]
    tables, joined = [], set()
    for (kind, _), ours in splits.items():
        ids = {name for one in ours for name in one.scores.metrics}
        beside = [
            (paper, table)
            for paper, table in printed
            if table.dataset == kind and not table.ablation and ids & set(table.metrics)
        ]
        joined |= {(paper.name, table.number) for paper, table in beside}
        tables.append(_table(_title(ours[0].scores), tuple(ours), beside))
    alone = [(paper, table) for paper, table in printed if (paper.name, table.number) not in joined]
    return tables + [_table(f"{paper.name}, {table.number}", (), [(paper, table)]) for paper, table in alone]


def _split_of(scores: Scores) -> tuple[str, str]:
    """Tell splits apart: by kind and hash, so that it does not matter where a data set lies."""
    kind, _, folder = scores.dataset.partition(":")
    return kind, scores.split_sha256 or folder


def _title(scores: Scores) -> str:
    """Name a data set without the path to its folder, which is nobody else's business."""
    kind, _, folder = scores.dataset.partition(":")
    split = f" (split {scores.split_sha256[:12]})" if scores.split_sha256 else ""
    return f"Data set {kind}:{Path(folder).name}{split}"


def _table(
    title: str, measured: tuple[Measured, ...], printed: Sequence[tuple[PublishedPaper, PublishedTable]]
) -> Table:
    columns: dict[str, Column] = {}
    for one in measured:
        for name, header in one.scores.metrics.items():
            columns.setdefault(name, Column(name, header.name, header.direction, header.unit))
    for paper, table in printed:
        for name in table.metrics:
            metric = paper.metrics[name]
            columns.setdefault(name, Column(name, metric.name, metric.direction, metric.unit))
    ours = [_measured_row(one, label) for one, label in zip(measured, labels(measured), strict=True)]
    rows = _with_best(ours, columns)
    for paper, table in printed:
        source = f"{paper.name}, {table.number}"
        theirs = [Row(method, source, True, "", table.values(method)) for method in table.rows]
        rows += _with_best(theirs, columns)
    return Table(title, tuple(columns.values()), tuple(rows), tuple(_notes(measured, printed)), measured)


def labels(measured: Sequence[Measured]) -> list[str]:
    """Name results by method, preset and options, or by their folder where these do not tell them apart."""
    names = [one.run.label if one.run else one.folder.name for one in measured]
    return [
        name if names.count(name) == 1 else f"{name} ({one.folder})" for name, one in zip(names, measured, strict=True)
    ]


def _measured_row(one: Measured, label: str) -> Row:
    images = f"{len(one.scores.images)}/{len(_known_images(one))}"
    return Row(label, str(one.folder), False, images, one.scores.mean)


def _with_best(rows: Sequence[Row], columns: Mapping[str, Column]) -> list[Row]:
    """Mark the best of rows that may be compared; a row alone is not best."""
    best = {}
    for column in columns.values():
        values = [value for row in rows if (value := row.values.get(column.id)) is not None]
        if len(values) > 1:
            best[column.id] = max(values) if column.direction == "higher" else min(values)
    return [
        Row(
            row.label,
            row.source,
            row.published,
            row.images,
            row.values,
            frozenset(name for name, value in best.items() if row.values.get(name) == value),
        )
        for row in rows
    ]


def _notes(measured: Sequence[Measured], printed: Sequence[tuple[PublishedPaper, PublishedTable]]) -> list[str]:
    """Say where printed numbers come from, what is odd about them, and when they are about other images than ours."""
    notes: list[str] = []
    counts = {len(_known_images(one)) for one in measured}
    for paper, table in printed:
        source = f"{paper.name}, {table.number}"
        notes.append(f"{source}: {table.about}.")
        notes += [f"{source}: {note}" for note in table.notes]
        if table.images and counts - {table.images}:
            others = " and ".join(map(str, sorted(counts)))
            notes.append(f"{source}: over {table.images} images, but {others} were measured here. Do not compare.")
    for paper in {paper.name: paper for paper, _ in printed}.values():
        notes.append(f"{paper.name}: {paper.title}. {paper.source}. Quoted from {paper.quoted_from}.")
        notes += [f"{paper.name}: {note}" for note in paper.notes]
    return notes


def _known_images(one: Measured) -> set[str]:
    return {*one.scores.images, *one.scores.errors}
