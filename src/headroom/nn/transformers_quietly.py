"""transformers, imported in one place: it takes seconds, talks on stderr and fails beside a torchvision for CUDA."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from safetensors import SafetensorError

from headroom.errors import MissingDependency
from headroom.nn.torchvision_beside_cpu import import_torchvision

FAILURES = (
    *(ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    SafetensorError,
)
"""What transformers raises for files that are missing, damaged or for something else."""


def import_transformers(purpose: str) -> Any:  # noqa: ANN401 - transformers has no types here
    """Import transformers without its bars and advice.

    Args:
        purpose: What needs it, the first words of the message.

    Raises:
        MissingDependency: It is not installed.
    """
    if find_spec("torchvision"):
        import_torchvision()
    try:
        transformers = import_module("transformers")
    except ImportError as error:
        raise MissingDependency(f"{purpose} needs transformers: pip install 'headroom-hdr[words]'.") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def first_line(error: Exception) -> str:
    """Give what an error of transformers says, without the pages that may follow."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
