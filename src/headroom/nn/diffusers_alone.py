"""diffusers without what it imports along: in a program of our own, where nobody else uses it.

Where they are installed it imports peft and transformers, and always torch's compiler: three times as much as the
networks need. Imported without them it does without for as long as the process lives. So in a process that is somebody
else's it is imported as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import ModuleType
from typing import Any

OWN_PROCESS = Event()
"""Set where nobody but Headroom uses diffusers."""

_EXTRAS = ("peft", "transformers")
_COMPILER = "torch._dynamo"


@contextmanager
def without_extras() -> Iterator[None]:
    """Hide, in a process of our own, what diffusers would import along; what is imported already stays."""
    hidden: dict[str, Any] = {**dict.fromkeys(_EXTRAS), _COMPILER: _no_compiler()}
    if not OWN_PROCESS.is_set() or not sys.modules.keys().isdisjoint(hidden):
        yield
        return
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _no_compiler() -> ModuleType:
    """Make what stands in for torch's compiler: it leaves functions and classes as they are."""
    module = ModuleType(_COMPILER)
    vars(module).update(allow_in_graph=_unchanged, disable=_disable)
    return module


def _disable(function: Any = None, *_: object, **__: object) -> Any:  # noqa: ANN401 - any function, or none yet
    return _unchanged if function is None else function


def _unchanged(what: Any) -> Any:  # noqa: ANN401 - any function or class
    return what
