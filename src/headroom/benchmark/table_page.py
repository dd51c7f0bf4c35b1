"""Tables and pictures as one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from headroom._version import __version__
from headroom.benchmark.comparison import Comparison, Tile
from headroom.benchmark.showing import LEVELLED, data_uri
from headroom.benchmark.table import Column, Measured, Row, Table, labels
from headroom.benchmark.table_text import PUBLISHED


def to_html(tables: Sequence[Table], comparisons: Sequence[Sequence[Comparison]]) -> str:
    """Write tables as a page.

    Args:
        tables: The tables.
        comparisons: Pictures to show under each of them.
    """
    style = files("headroom.benchmark.pages").joinpath("table.css").read_text(encoding="utf-8")
    sections = "\n".join(_section(table, shown) for table, shown in zip(tables, comparisons, strict=True))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headroom benchmark</title>
<style>
{style}</style>
<h1>Headroom benchmark</h1>
<p class="quiet">Made by Headroom {escape(__version__)}. ↑ more is better, ↓ less is better; the best of the measured
rows, and of each published table, is <strong>marked</strong>. Rows called {PUBLISHED} are the papers' own numbers, not
measured here. A dash stands for what is undefined, infinite or not known.</p>
{sections}
</html>
"""


def _section(table: Table, comparisons: Sequence[Comparison]) -> str:
    headings = "".join(f'<th scope="col">{escape(column.heading)}</th>' for column in table.columns)
    rows = "\n".join(_row(row, table.columns) for row in table.rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    named = zip(table.measured, labels(table.measured), strict=True)
    return f"""<h2>{escape(table.title)}</h2>
<div class="wide" tabindex="0" role="region" aria-label="{escape(table.title)}"><table>
<caption>Means over the images that have a number; “images” says how many could be scored.</caption>
<thead><tr><th scope="col">method</th><th scope="col">images</th>{headings}</tr></thead>
<tbody>
{rows}
</tbody></table></div>
{f"<ul>{notes}</ul>" if notes else ""}
{"".join(map(_pictures, comparisons))}
{"".join(_images(one, label, table.columns) for one, label in named)}"""


def _row(row: Row, columns: Sequence[Column]) -> str:
    cells = []
    for column in columns:
        text = escape(column.text(row.values.get(column.id)))
        cells.append(f"<td>{f'<strong>{text}</strong>' if column.id in row.best else text}</td>")
    label = escape(row.label)
    if row.published:
        label += f' <span class="tag">{PUBLISHED}</span> {escape(row.source)}'
    kind = ' class="published"' if row.published else ""
    return f'<tr{kind}><th scope="row">{label}</th><td>{escape(row.images)}</td>{"".join(cells)}</tr>'


def _pictures(comparison: Comparison) -> str:
    cut = any(tile.crop for tile in comparison.tiles)
    levelled = comparison.look is LEVELLED
    shown = "Brought to one brightness and tone-mapped" if levelled else "As they are"
    crops = "; below, where they differ most" if cut else ""
    crops += f", at {comparison.crop_ev:+.1f} EV" if cut and levelled else ""
    tiles = "\n".join(_tile(tile, comparison.name) for tile in comparison.tiles)
    return f"""<section><h3>{escape(comparison.name)}</h3>
<p class="quiet">{shown}{crops}.</p>
<div class="tiles">
{tiles}
</div></section>
"""


def _tile(tile: Tile, name: str) -> str:
    if not tile.picture:
        return f"<figure><figcaption>{escape(tile.label)}: {escape(tile.error)}</figcaption></figure>"
    whose = escape(f"{name}, {tile.label}", quote=True)
    crop = f'<img class="crop" alt="Detail of {whose}" src="{data_uri(tile.crop)}">' if tile.crop else ""
    whole = f'<img alt="{whose}" src="{data_uri(tile.picture)}">'
    return f"<figure><figcaption>{escape(tile.label)}</figcaption>{whole}{crop}</figure>"


def _images(one: Measured, label: str, columns: Sequence[Column]) -> str:
    """Write the numbers of each image, folded away."""
    shown = [column for column in columns if any(column.id in values for values in one.scores.images.values())]
    headings = "".join(f'<th scope="col">{escape(column.heading)}</th>' for column in shown)
    lines = [
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(column.text(values.get(column.id)))}</td>" for column in shown)
        + "</tr>"
        for name, values in one.scores.images.items()
    ]
    failed = "".join(f"<li>{escape(name)}: {escape(error)}</li>" for name, error in one.scores.errors.items())
    return f"""<details><summary>{escape(label)}: {len(lines)} images, {len(one.scores.errors)} failed</summary>
{f"<ul>{failed}</ul>" if failed else ""}
<div class="wide"><table><thead><tr><th scope="col">image</th>{headings}</tr></thead>
<tbody>
{chr(10).join(lines)}
</tbody></table></div></details>
"""
