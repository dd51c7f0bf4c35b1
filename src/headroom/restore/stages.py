"""Which networks a call of enhance runs: one that maps colours, one that makes content up, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headroom.errors import UsageError
from headroom.methods import load
from headroom.methods.contract import Method


@dataclass(frozen=True, slots=True)
class Stage:
    """One network of a call.

    Attributes:
        method: Its method.
        preset: Name of its preset.
        weights: A file to use instead of the weights that ship.
    """

    method: Method[Any]
    preset: str
    weights: Path | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """The networks of a call; at least one.

    Attributes:
        first: Maps brightness and colours, or expands; None to take the photo as it is.
        second: Makes content up; None to make nothing up.
    """

    first: Stage | None
    second: Stage | None


def choose_stages(
    method_id: str,
    preset: str | None,
    *,
    weights: Path | None,
    refine_preset: str | None = None,
    refine_weights: Path | None = None,
    stage1: str | None,
    refine_only: bool,
    is_masked: bool,
) -> Stages:
    """Settle what runs. `preset` and `weights` are those of one stage of the method: by default of the first that runs.

    `refine_preset` and `refine_weights` are those of the stage that makes content up, beside them.

    Raises:
        UsageError: There is no such method or preset, or it has no place in this call.
    """
    method = load(method_id, "enhance")
    _check(method, preset, stage1=stage1, refine_only=refine_only, is_masked=is_masked)
    own = {kind: _own_stage(method, preset, invents_content=kind) for kind in (False, True)}
    first = _stand_in(stage1) if stage1 else own[False]
    stages = Stages(None if refine_only else first, own[True] if is_masked else None)
    if weights is not None:
        stages = _with_weights(stages, method, preset, weights)
    return _with_second(stages, refine_preset, refine_weights) if refine_preset or refine_weights else stages


def check_words(second: Stage | None) -> None:
    """See that the stage which makes content up reads words.

    Raises:
        UsageError: It does not, or there is none.
    """
    if second is None:
        raise UsageError("a prompt steers what is made up, and no mask says where. Give a mask: auto, or a file.")
    method, name = second.method, second.preset
    if method.presets[name].capabilities.needs_prompt:
        return
    readers = [other for other, preset in method.presets.items() if preset.capabilities.needs_prompt]
    advice = "Leave the words out."
    if readers:
        advice = (
            f"Leave them out, or use the preset {readers[0]} with a Stable Diffusion folder as weights; "
            "its words need transformers: pip install 'headroom-hdr[words]'."
        )
    raise UsageError(f"{method.id} {name} reads no words, so a prompt or caption means nothing to it. {advice}")


def _own_stage(method: Method[Any], preset: str | None, *, invents_content: bool) -> Stage | None:
    """Give the stage of this preset if it is one of the kind, else of the method's first preset of the kind."""
    names = _presets(method, invents_content=invents_content)
    return Stage(method, preset if preset in names else names[0]) if names else None


def _with_weights(stages: Stages, method: Method[Any], preset: str | None, weights: Path) -> Stages:
    for name in ("first", "second"):
        stage: Stage | None = getattr(stages, name)
        if stage and stage.method.id == method.id and preset in {None, stage.preset}:
            return replace(stages, **{name: replace(stage, weights=weights)})
    raise UsageError(f"no stage of {method.id} runs, so {weights} means nothing to it. Leave the weights out.")


def _with_second(stages: Stages, preset: str | None, weights: Path | None) -> Stages:
    """Give the second stage another preset, weights, or both."""
    second = stages.second
    if second is None:
        raise UsageError(
            "nothing is made up, so a preset or weights for it mean nothing. Give a mask: auto, or a file."
        )
    names = _presets(second.method, invents_content=True)
    if preset is not None and preset not in names:
        raise UsageError(
            f"{second.method.id} makes content up by {', '.join(names)}, not {preset!r}. Give one of these."
        )
    if second.weights is not None or second.preset not in {names[0], preset or second.preset}:
        raise UsageError("the stage that makes content up is given twice. Give its preset and weights once.")
    return replace(stages, second=Stage(second.method, preset or second.preset, weights))


def _check(method: Method[Any], preset: str | None, *, stage1: str | None, refine_only: bool, is_masked: bool) -> None:
    """Refuse what contradicts itself."""
    if preset is not None and preset not in method.presets:
        raise UsageError(f"{method.id} has no preset {preset!r}; it has {', '.join(method.presets)}.")
    if refine_only and stage1:
        raise UsageError(f"refining only leaves the first stage out, so {stage1} has no place. Leave one of them out.")
    if refine_only and not is_masked:
        raise UsageError("refining only needs a mask that says where. Give auto, or a picture that is white there.")
    if is_masked and not _presets(method, invents_content=True):
        raise UsageError(f"{method.id} makes no content up, so a mask means nothing to it. Leave the mask out.")
    if preset is None:
        return
    if method.presets[preset].capabilities.invents_content:
        if not is_masked:
            raise UsageError(f"{method.id} {preset} makes content up where a mask says so. Give one: auto, or a file.")
    elif refine_only or stage1:
        raise UsageError(f"{method.id} {preset} is a first stage, which this call leaves out. Leave the preset out.")


def _stand_in(method_id: str) -> Stage:
    """Settle the stage that another method is in place of the first one."""
    method = load(method_id, "enhance", "expand")
    expands = method.verb == "expand"
    return Stage(method, method.default_preset if expands else _presets(method, invents_content=False)[0])


def _presets(method: Method[Any], *, invents_content: bool) -> list[str]:
    return [name for name, each in method.presets.items() if each.capabilities.invents_content == invents_content]
