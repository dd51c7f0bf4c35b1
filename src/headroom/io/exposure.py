"""The exposure of a photo, in EV: from its EXIF block, or from an `exposure.txt` beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from headroom.errors import InputError
from headroom.io import capture

EXPOSURE_FILE = "exposure.txt"


def exif_exposure_ev(exif: bytes | None) -> float | None:
    """Return log2 of time * sensitivity / aperture^2, relative to 1 s, f/1 and ISO 100; None without a time.

    An aperture or sensitivity that is not stated counts as the same in all frames of a bracket.
    """
    facts = capture.from_exif(exif or b"")
    if facts.exposure_s is None:
        return None
    return math.log2(facts.exposure_s * (facts.iso or 100) / 100) - 2 * math.log2(facts.f_number or 1)


def listed_exposures_ev(paths: Sequence[Path]) -> list[float] | None:
    """Return what `exposure.txt` in the folder of these files says, or None where there is no such file.

    It holds one EV a line for the files in the order of their names (the convention of Kalantari's data), or lines of a
    file name and its EV. `#` starts a comment.

    Raises:
        InputError: The file does not fit these photos.
    """
    folders = {path.parent for path in paths}
    listing = folders.pop() / EXPOSURE_FILE
    if folders or not listing.is_file():
        return None
    rows = _rows(listing)
    if all(len(row) == 1 for row in rows):
        if len(rows) != len(paths):
            raise InputError(
                f"{listing}: lists {len(rows)} exposures for {len(paths)} photos. Write one EV a line, in the order "
                "of the photos' names."
            )
        by_name = {path.name: row[0] for path, row in zip(sorted(paths), rows, strict=True)}
    else:
        by_name = {" ".join(row[:-1]): row[-1] for row in rows}
    return [_ev(listing, path.name, by_name.get(path.name)) for path in paths]


def _rows(listing: Path) -> list[list[str]]:
    try:
        lines = listing.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{listing}: cannot be read ({error}). Write one EV a line, or give --ev.") from error
    return [words for line in lines if (words := line.partition("#")[0].split())]


def _ev(listing: Path, name: str, text: str | None) -> float:
    if text is None:
        raise InputError(f"{listing}: says nothing about {name}. Add a line with this name and its EV.")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{listing}: gives {text!r} for {name}. Write its exposure in EV, such as -2.")
    return value
