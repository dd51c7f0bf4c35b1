"""`run.json`: how the results of a folder were made."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from pydantic import BaseModel, ConfigDict, ValidationError

from headroom.errors import DataError
from headroom.files import write_atomically

_FILE_NAME = "run.json"


class Run(BaseModel):
    """How the results of a folder were made.

    Attributes:
        headroom: Version.
        method: Method id.
        preset: Its preset.
        options: What else was chosen.
        weights_sha256: Hash of the weights file, or of those of each stage, joined by +; None for a method without.
        dataset: Words that name the data set.
        split_sha256: Hash of its items, see `headroom.benchmark.split`, when results were last added.
        seconds_per_megapixel: Median over the images, so that the start-up in the first one does not count.
        images: Seconds per megapixel of each result, from the photo in memory to the result in memory.
        peak_bytes: Most memory that the process held while it made a result; None where nobody measured it.
        parameters: Size of the network, 0 for a method without one; None where nobody counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    headroom: str
    method: str
    preset: str
    options: dict[str, str | int] = {}
    weights_sha256: str | None
    dataset: str
    split_sha256: str | None = None
    seconds_per_megapixel: float | None = None
    images: dict[str, float] = {}
    peak_bytes: int | None = None
    parameters: int | None = None

    @property
    def label(self) -> str:
        """Method, preset and options, for a person."""
        return ", ".join([f"{self.method} {self.preset}", *(f"{name} {value}" for name, value in self.options.items())])

    def without_circumstances(self) -> Run:
        """Give what must be the same for all results of a folder."""
        circumstances = ("split_sha256", "seconds_per_megapixel", "images", "peak_bytes", "parameters")
        return self.model_copy(update={name: type(self).model_fields[name].default for name in circumstances})

    def with_image(self, name: str, seconds_per_megapixel: float, split_sha256: str) -> Run:
        """Add the time of one result of a data set that hashes to `split_sha256` now."""
        images = {**self.images, name: round(seconds_per_megapixel, 4)}
        known = {"images": images, "seconds_per_megapixel": round(median(images.values()), 4)}
        return self.model_copy(update={**known, "split_sha256": split_sha256})

    def with_costs(self, peak_bytes: int, parameters: int) -> Run:
        """Add what one result needed in memory, and the size of the network."""
        return self.model_copy(update={"peak_bytes": max(self.peak_bytes or 0, peak_bytes), "parameters": parameters})


def read_run(folder: Path) -> Run | None:
    """Read a folder's `run.json`; None where there is none yet.

    Raises:
        DataError: It is damaged.
    """
    path = folder / _FILE_NAME
    try:
        return Run.model_validate_json(path.read_bytes()) if path.exists() else None
    except (OSError, ValidationError) as error:
        raise DataError(f"{path}: is damaged. Remove it, or write the results to another folder.") from error


def write_run(folder: Path, run: Run) -> None:
    """Write a folder's `run.json`.

    Raises:
        OutputError: It cannot be written.
    """
    write_atomically(folder / _FILE_NAME, run.model_dump_json(indent=2).encode() + b"\n")
