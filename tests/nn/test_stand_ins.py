"""Stand-ins of other libraries are out of the way while diffusers looks around, and no longer."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from types import ModuleType

import pytest

from headroom.nn.stand_ins import without_stand_ins


def test_only_stand_ins_are_hidden_and_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("plotting_that_is_missing")
    monkeypatch.setitem(sys.modules, "plotting_that_is_missing", stand_in)
    with pytest.raises(ValueError, match="__spec__"):
        find_spec("plotting_that_is_missing")
    with without_stand_ins("plotting_that_is_missing", "json"):
        assert find_spec("plotting_that_is_missing") is None
        assert "json" in sys.modules
    assert sys.modules["plotting_that_is_missing"] is stand_in


def test_diffusers_loads_behind_colour_science() -> None:
    program = (
        "import warnings; warnings.simplefilter('ignore'); import colour; import headroom.nn.latent.diffusers_models"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
