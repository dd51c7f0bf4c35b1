"""Tables that papers printed, quoted as data: one TOML file for each paper, with what is odd about its numbers."""

from __future__ import annotations

import functools
import math
import tomllib
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from headroom.errors import DataError, UsageError
from headroom.metrics.contract import Direction


class PublishedMetric(BaseModel):
    """What a paper says that it measured.

    Attributes:
        name: Name for a person.
        direction: Which way is better.
        unit: Unit of its values; empty for a plain number.
        foreign: True for what Headroom does not measure, or not in the way of the paper as far as anyone can tell.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    direction: Direction
    unit: str = ""
    foreign: bool = False


class PublishedTable(BaseModel):
    """One table, or the part of one that is about one data set.

    Attributes:
        number: Where it stands in the paper.
        about: What it shows.
        dataset: Kind of data set in `headroom.benchmark.datasets` that the rows are about; empty for none of those.
        images: How many images its means are over; None where the paper does not say.
        ablation: True when it compares variants of one method.
        metrics: Ids of the columns.
        rows: Numbers of each method, in the order of the columns; nan where the paper prints none.
        notes: What a reader must know before comparing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: str
    about: str
    dataset: str = ""
    images: int | None = None
    ablation: bool = False
    metrics: tuple[str, ...]
    rows: dict[str, tuple[float, ...]]
    notes: tuple[str, ...] = ()

    def values(self, method: str) -> dict[str, float | None]:
        """Give a row by metric, None where the paper prints no number."""
        numbers = zip(self.metrics, self.rows[method], strict=True)
        return {metric: None if math.isnan(value) else value for metric, value in numbers}


class PublishedPaper(BaseModel):
    """What one paper printed.

    Attributes:
        name: Short name.
        title: Full title.
        source: Where to find it.
        quoted_from: What the numbers were read from.
        notes: What is true of all its tables.
        metrics: Its metrics by their ids.
        tables: Its tables.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    source: str
    quoted_from: str
    notes: tuple[str, ...] = ()
    metrics: dict[str, PublishedMetric]
    tables: tuple[PublishedTable, ...]

    @model_validator(mode="after")
    def _is_whole(self) -> PublishedPaper:
        for table in self.tables:
            if unknown := set(table.metrics) - set(self.metrics):
                raise ValueError(f"{table.number}: no metric {min(unknown)}")
            if any(len(row) != len(table.metrics) for row in table.rows.values()):
                raise ValueError(f"{table.number}: a row has not one number for each metric")
        return self


def papers() -> list[str]:
    """Give the ids of all papers, as `read_paper` takes them."""
    return sorted(file.name.removesuffix(".toml") for file in files(__name__).iterdir() if file.name.endswith(".toml"))


@functools.cache
def read_paper(name: str) -> PublishedPaper:
    """Read what a paper printed.

    Raises:
        UsageError: There is none of this id.
        DataError: The file is damaged.
    """
    if name not in papers():
        raise UsageError(f"{name}: no paper of this name is quoted. Choose from {', '.join(papers())}.")
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    try:
        return PublishedPaper.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise DataError(f"{name}.toml: {error}. Install Headroom again.") from error
