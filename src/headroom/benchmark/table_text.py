"""Tables as Markdown for people and as CSV for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from headroom.benchmark.table import Row, Table

PUBLISHED = "published"
"""How printed numbers are marked."""


def to_markdown(tables: Sequence[Table]) -> str:
    """Write tables as Markdown: best values bold, printed rows in italics and called published."""
    return "\n".join(_markdown(table) for table in tables)


def _markdown(table: Table) -> str:
    headings = ["Method", "Images", *(column.heading for column in table.columns)]
    lines = [f"## {table.title}", "", _line(headings), _line(["---", "---:"] + ["---:"] * len(table.columns))]
    lines += [_line(_cells(row, table)) for row in table.rows]
    lines += ["", *(f"- {_escaped(note)}" for note in table.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _cells(row: Row, table: Table) -> list[str]:
    texts = {column.id: column.text(row.values.get(column.id)) for column in table.columns}
    values = [f"**{text}**" if name in row.best else text for name, text in texts.items()]
    label = f"*{row.label}* ({PUBLISHED}: {row.source})" if row.published else row.label
    return [label, row.images, *values]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    """Keep names of files from making columns, lines or markup."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'").split())


def to_csv(tables: Sequence[Table]) -> str:
    """Write tables as CSV with a line for every number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "method", "kind", "source", "images", "metric", "direction", "unit", "value", "best"])
    for table in tables:
        for row in table.rows:
            kind = PUBLISHED if row.published else "measured"
            for column in table.columns:
                if (value := row.values.get(column.id)) is not None:
                    known = [table.title, row.label, kind, row.source, row.images]
                    best = "yes" if column.id in row.best else ""
                    writer.writerow([*known, column.id, column.direction, column.unit, repr(value), best])
    return text.getvalue()
