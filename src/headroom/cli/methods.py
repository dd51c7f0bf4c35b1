"""`headroom methods`: what can be asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from headroom.cli.console import show_json, show_table


def methods(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per preset.")] = False,
) -> None:
    """List methods and their presets.

    The first preset of a method is its default.
    """
    from headroom.methods import available, load

    loaded = [load(name) for name in available()]
    presets = [(method, name, preset) for method in loaded for name, preset in method.presets.items()]
    if not json:
        show_table(
            [("METHOD", "VERB", "PRESET", "SUMMARY")]
            + [(method.id, method.verb, name, preset.summary) for method, name, preset in presets]
        )
        return
    for method, name, preset in presets:
        show_json(
            {
                "method": method.id,
                "verb": method.verb,
                "summary": method.summary,
                "preset": name,
                "default": name == method.default_preset,
                "weights": preset.weights,
                "preset_summary": preset.summary,
            }
        )
