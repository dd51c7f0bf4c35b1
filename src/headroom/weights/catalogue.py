"""The weights that ship: what they are, where they lie, and whether they are intact."""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from headroom.errors import WeightsError

PACKAGE_FOLDER = Path(__file__).parent
"""Holds `catalogue.toml` and, below `files/`, the weights."""


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """One weights file.

    Attributes:
        name: Catalogue name, unique.
        method: Id of the method it belongs to.
        preset: Preset of that method.
        file: File name below `files/`.
        sha256: Hash of the whole file, lower-case hexadecimal.
        size_bytes: Size of the file.
        licence: SPDX identifier of the weights' licence.
        commercial: True when the licence and the training data allow commercial use.
        training_data: What it was trained on, with the data's licences.
        card: File name of its model card, below the method's folder.
    """

    name: str
    method: str
    preset: str
    file: str
    sha256: str
    size_bytes: int
    licence: str
    commercial: bool
    training_data: str
    card: str


@functools.cache
def records(folder: Path = PACKAGE_FOLDER) -> Mapping[str, WeightsRecord]:
    """Return every record of `catalogue.toml` by name, in alphabetical order."""
    table = tomllib.loads((folder / "catalogue.toml").read_text(encoding="utf-8"))
    entries = sorted((WeightsRecord(**entry) for entry in table.get("weights", [])), key=lambda record: record.name)
    return MappingProxyType({record.name: record for record in entries})


def find(name: str, *, folder: Path = PACKAGE_FOLDER) -> WeightsRecord:
    """Return the record called `name`.

    Raises:
        WeightsError: There is none.
    """
    known = records(folder)
    if name not in known:
        raise WeightsError(f"there are no weights called {name!r}. Known ones: {', '.join(known) or 'none'}.")
    return known[name]


def local_path(name: str, *, folder: Path = PACKAGE_FOLDER) -> Path:
    """Return where the weights called `name` lie.

    Raises:
        WeightsError: They are unknown or their file is not installed.
    """
    path = folder / "files" / find(name, folder=folder).file
    if not path.is_file():
        raise WeightsError(f"{path}: the weights {name!r} are not installed. Reinstall headroom-hdr.")
    return path


def verify(name: str, *, folder: Path = PACKAGE_FOLDER) -> Path:
    """Return where the weights called `name` lie after comparing size and SHA-256 with the catalogue.

    Raises:
        WeightsError: They are unknown, not installed or not the published ones.
    """
    record, path = find(name, folder=folder), local_path(name, folder=folder)
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if (path.stat().st_size, digest) != (record.size_bytes, record.sha256):
        raise WeightsError(f"{path}: not the published weights {name!r} (SHA-256 {digest}). Reinstall headroom-hdr.")
    return path
