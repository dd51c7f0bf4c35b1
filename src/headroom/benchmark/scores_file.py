"""`scores.json`: what a folder of results scored."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from headroom.errors import DataError
from headroom.files import write_atomically
from headroom.metrics.contract import Direction

FILE_NAME = "scores.json"
_PLACES = 6

Values = dict[str, float | None]
"""Numbers by the id of their metric; None for what is undefined or infinite."""


class MetricHeader(BaseModel):
    """What a reader of the numbers must know of a metric."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    direction: Direction
    unit: str


class Scores(BaseModel):
    """What a folder of results scored; equal folders give equal bytes.

    Attributes:
        headroom: Version.
        dataset: Words that name the data set.
        split_sha256: Hash of its items, see `headroom.benchmark.split`; None in files of older versions.
        metrics: Header of each metric, by its id.
        images: Numbers of each image, by its name; what could not be scored at all is only in `errors`.
        errors: What is wrong, by the image's name.
        mean: Mean over the images that have a number, or the number of the whole set for metrics of sets.
        p90: Number that nine images in ten do better than.
        worst: Number of the worst image.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    headroom: str
    dataset: str
    split_sha256: str | None = None
    metrics: dict[str, MetricHeader]
    images: dict[str, Values]
    errors: dict[str, str]
    mean: Values
    p90: Values
    worst: Values


def number(value: float) -> float | None:
    """Round for the file; None for what is undefined, such as the stops of a photo that clips nowhere, or infinite."""
    return round(value, _PLACES) if math.isfinite(value) else None


def read_scores(folder: Path) -> Scores | None:
    """Read a folder's `scores.json`; None where there is none.

    Raises:
        DataError: It is damaged.
    """
    path = folder / FILE_NAME
    try:
        return Scores.model_validate_json(path.read_bytes()) if path.exists() else None
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: is damaged. Remove it and score the folder again.") from error


def write_scores(folder: Path, scores: Scores) -> None:
    """Write a folder's `scores.json`.

    Raises:
        OutputError: It cannot be written.
    """
    write_atomically(folder / FILE_NAME, scores.model_dump_json(indent=2).encode() + b"\n")
