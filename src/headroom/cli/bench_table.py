"""`headroom bench table`: shows scores of several folders side by side."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headroom.cli.console import progress_bar, say
from headroom.errors import DataError, HeadroomError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headroom.benchmark.comparison import Comparison
    from headroom.benchmark.table import Measured, Table


class Format(StrEnum):
    """What a table is written as."""

    MARKDOWN = "md"
    CSV = "csv"
    HTML = "html"


def table(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR]...", exists=True, file_okay=False, help="Folders that were scored."),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(metavar="PAPER", help="Add what a paper printed: gmodiff, hybrid_ae, lediff, lf_diff or sagiri."),
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Format; that of the suffix of FILE, or md, when not given.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="File; else stdout.")] = None,
    pictures: Annotated[int, typer.Option(min=0, metavar="N", help="Images of each data set to show as HTML.")] = 4,
) -> None:
    """Show scores of folders side by side.

    Reads DIR/run.json and DIR/scores.json, which `bench infer` and `bench score` wrote, and makes a table for each
    data set. A folder without scores costs one line on stderr, and the exit code is 1.

    As HTML, one file without script or network, the page shows the images on which methods differ most: input, truth
    and results in one brightness (enhanced photos as they are), and a crop where they differ most. What printed tables
    say stands in rows of their own, marked as published.
    """
    from headroom.benchmark.published import read_paper
    from headroom.benchmark.table import make_tables

    chosen = format_ or _format_of(out)
    papers = [read_paper(name) for name in dict.fromkeys(published or [])]
    measured, failed = _read(list(dict.fromkeys(folders or [])))
    if not measured and not papers:
        raise UsageError("No scores to show. Give folders that `headroom bench score` wrote to, or --published.")
    tables = make_tables(measured, papers)
    text = _text(tables, chosen, pictures)
    if out is None:
        sys.stdout.write(text)
    else:
        from headroom.files import write_atomically

        write_atomically(out, text.encode("utf-8", "replace"))
        print(out)
    if failed:
        raise typer.Exit(1)


def _format_of(out: Path | None) -> Format:
    suffix = out.suffix.lower().lstrip(".") if out else "md"
    try:
        return Format({"markdown": "md", "htm": "html"}.get(suffix, suffix))
    except ValueError:
        raise UsageError(f"{out}: its suffix names no format. Add --format md, csv or html.") from None


def _read(folders: Sequence[Path]) -> tuple[list[Measured], bool]:
    """Read what can be read; says what cannot."""
    from headroom.benchmark.table import read_measured

    measured = []
    for folder in folders:
        try:
            measured.append(read_measured(folder))
        except DataError as error:
            say(f"error: {error}")
    return measured, len(measured) < len(folders)


def _text(tables: Sequence[Table], chosen: Format, pictures: int) -> str:
    from headroom.benchmark.table_page import to_html
    from headroom.benchmark.table_text import to_csv, to_markdown

    match chosen:
        case Format.MARKDOWN:
            return to_markdown(tables)
        case Format.CSV:
            return to_csv(tables)
        case Format.HTML:
            return to_html(tables, [_compare(one, pictures) for one in tables])


def _compare(table: Table, pictures: int) -> list[Comparison]:
    """Show the most telling images of a table."""
    from headroom.benchmark.comparison import compare
    from headroom.benchmark.datasets import look_of, open_dataset
    from headroom.benchmark.table import labels
    from headroom.benchmark.telling import telling_images

    names = telling_images(table, pictures)
    if not names:
        return []
    words = table.measured[0].scores.dataset
    try:
        items = {item.name: item for item in open_dataset(words)}
    except HeadroomError as error:
        say(f"{words}: cannot be opened, so inputs and truths are not shown. {error}")
        items = {}
    folders = {label: one.folder for one, label in zip(table.measured, labels(table.measured), strict=True)}
    look = look_of(words)
    with progress_bar() as display:
        shown = display.track(names, description="pictures")
        return [compare(name, items.get(name), folders, look=look) for name in shown]
