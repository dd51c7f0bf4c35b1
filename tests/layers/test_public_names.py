"""What `import headroom` gives, and what it does not load."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import headroom

HEAVY = {"torch", "numpy", "PIL", "OpenImageIO", "imagecodecs", "tifffile", "pydantic", "typer", "rich"}


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules, and those of headroom, that a fresh interpreter has after `code`."""
    program = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout))


def test_public_names_are_exactly_these() -> None:
    classes = {"Photo", "Hdr", "Bracket", "GainMap", "HeadroomError", "Steady"}
    readers, writers = {"read", "read_bracket", "read_photo", "read_hdr"}, {"write_hdr", "write_photo", "write_preview"}
    functions = (
        {"convert", "enhance", "expand", "expand_latents", "from_pipeline", "generate", "merge"} | readers | writers
    )
    assert set(headroom.__all__) == classes | functions | {"methods", "__version__"}
    assert headroom.__all__ == sorted(headroom.__all__)


@pytest.mark.parametrize("name", headroom.__all__)
def test_every_public_name_loads(name: str) -> None:
    assert getattr(headroom, name) is getattr(headroom, name)
    assert name in dir(headroom)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'expnad'"):
        getattr(headroom, "expnad")  # noqa: B009


def test_importing_loads_nothing_heavy() -> None:
    modules = loaded_by("import headroom")
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("headroom")} == {
        "headroom",
        "headroom._version",
        "headroom.errors",
    }


def test_listing_methods_imports_none() -> None:
    modules = loaded_by("import headroom; assert 'linear' in headroom.methods.available()")
    assert "torch" not in modules
    assert not {name for name in modules if name.startswith("headroom.methods.")}
