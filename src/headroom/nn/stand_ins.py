"""Libraries that are not installed, and that others pretend are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stand_ins(*names: str) -> Iterator[None]:
    """Hide stand-ins for these libraries from those who look what is installed.

    colour-science puts empty modules in the place of plotting libraries that are missing; asking Python whether such a
    library is there then fails.
    """
    stand_ins = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in names and getattr(module, "__spec__", None) is None
    }
    for name in stand_ins:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(stand_ins)
