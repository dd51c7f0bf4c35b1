"""Importing torchvision beside a torch that its compiled half was not made for.

PyPI's torchvision for Linux is linked to CUDA. Beside a CPU torch that half does not load and the whole import fails,
although only what is written in Python is needed here.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from torch import library

_DECLARED: list[Any] = []
"""Declarations are gone when their library object is, so it stays here."""


def import_torchvision() -> None:
    """Import torchvision; where its operators are missing, declare them, so that only calling one fails."""
    try:
        import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        make: Any = library.Library
        declared = make("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _DECLARED.append(declared)
        import_module("torchvision")
