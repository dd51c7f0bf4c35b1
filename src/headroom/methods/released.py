"""The layouts of every released checkpoint that can be imported, gathered from the methods' key tables."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from headroom.methods import available
from headroom.nn.latent import released as latent_prior
from headroom.weights.layout import Layout


def layouts() -> tuple[Layout, ...]:
    """Return those of the latent prior, and those of each method whose folder has a `keymap.py`."""
    names = [f"headroom.methods.{method}.keymap" for method in available()]
    of_methods = [import_module(name).layouts() for name in names if find_spec(name)]
    return (*latent_prior.layouts(), *(layout for each in of_methods for layout in each))
