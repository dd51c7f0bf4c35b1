"""The hash of a data set: equal where two people have the same items of the same files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from headroom.benchmark.item import AnyItem


def split_sha256(items: Sequence[AnyItem]) -> str:
    """Hash the names of the items with the names and sizes of their files, in hexadecimal.

    Contents are left out: the sets of the field hold up to hundreds of gigabytes, and a download that was cut off or
    another edition shows in the sizes. Folders are left out, so that it does not matter where the files lie.
    """
    lines = sorted(_line(item) for item in items)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _line(item: AnyItem) -> str:
    files = (f"\t{path.name}\t{path.stat().st_size if path.is_file() else '-'}" for path in item.files)
    return f"{item.name}{''.join(files)}\n"
