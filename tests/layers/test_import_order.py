"""The layers of the package, read from its source: imports point one way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "headroom"
LAYERS = [
    "_version", "errors", "limits", "image", "files", "colour", "io", "weights", "nn", "methods", "restore", "data",
    "metrics", "training", "benchmark", "__init__", "cli", "web", "__main__",
]  # fmt: skip
MODULES = {
    ".".join(["headroom", *path.relative_to(SOURCE).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(SOURCE.rglob("*.py"))
}


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imported(module: str) -> Iterator[str]:
    """Yield the modules of this package that `module` imports, at the top or inside functions."""
    path = MODULES[module]
    package = module.split(".") if path.stem == "__init__" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            # `from package import name` imports the submodule where there is one, and the package where not.
            names = [
                f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in MODULES else origin for alias in node.names
            ]
        else:
            continue
        yield from (name for name in names if name in MODULES and name != module)


def edges() -> list[tuple[str, str]]:
    return [(module, name) for module in MODULES for name in imported(module)]


def test_every_folder_has_a_layer() -> None:
    assert {layer(module) for module in MODULES} <= set(LAYERS)


def test_imports_point_to_earlier_layers() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, name in edges()
        if LAYERS.index(layer(name)) > LAYERS.index(layer(module))
    ]
    assert not wrong


def test_imports_make_no_cycle() -> None:
    # The package's own names are lazy: what its __init__ imports under TYPE_CHECKING is not loaded with it.
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, name in edges():
        if module != "headroom":
            graph[module].add(name)
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("module", [name for name in MODULES if name.count(".") >= 2 and layer(name) == "methods"])
def test_methods_do_not_know_each_other(module: str) -> None:
    def folder(name: str) -> str:
        parts = name.split(".")
        return parts[2] if len(parts) > 2 and (SOURCE / "methods" / parts[2]).is_dir() else ""

    others = {folder(name) for name in imported(module) if layer(name) == "methods"} - {"", folder(module)}
    assert not others


@pytest.mark.parametrize("module", [name for name in MODULES if layer(name) != "cli"])
def test_only_the_command_line_prints(module: str) -> None:
    calls = [node.func for node in ast.walk(ast.parse(MODULES[module].read_text())) if isinstance(node, ast.Call)]
    assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"]
