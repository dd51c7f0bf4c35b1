"""The methods, found by folder name; only the one that is asked for is imported."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headroom.errors import UsageError

if TYPE_CHECKING:
    from headroom.methods.contract import Method, Verb

MERGES_BY_DEFAULT = "lf_diff"
"""Id of the method that merges brackets when none is asked for."""

ENHANCES_BY_DEFAULT = "sagiri"
"""Id of the method that repairs badly exposed photos when none is asked for."""

GENERATES_BY_DEFAULT = "lediff"
"""Id of the method that makes HDR images out of noise, or of latents that others drew, when none is asked for."""

DRAWS_LATENTS = "latent_prior"
"""Id of the method whose latents others make light of."""


def available() -> list[str]:
    """List the ids of all methods, without importing any."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/method.py"))


def load(method_id: str, *verbs: Verb) -> Method[Any]:
    """Import one method.

    Args:
        method_id: Its folder's name.
        verbs: What it has to be there for, any of these; anything when none is given.

    Raises:
        UsageError: There is no such method, or it is there for something else.
    """
    if method_id not in available():
        raise UsageError(f"There is no method {method_id!r}; there are {', '.join(available())}.")
    module = import_module(f"headroom.methods.{method_id}")
    method: Method[Any] = module.METHOD
    if verbs and not set(verbs) & set(method.verbs):
        fitting = ", ".join(name for name in available() if set(verbs) & set(load(name).verbs))
        raise UsageError(f"{method.id} is a method to {method.verb}. Choose one of {fitting}.")
    return method
