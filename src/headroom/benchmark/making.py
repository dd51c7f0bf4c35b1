"""How a method's results are made, recorded and written, for each verb."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from headroom._version import __version__
from headroom.benchmark.item import AnyItem, EnhanceItem, verb_of
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import UsageError
from headroom.image import Hdr, Photo
from headroom.io import provenance, write_hdr, write_photo
from headroom.io.options import WriteOptions
from headroom.io.sdr import with_depth
from headroom.methods import load
from headroom.metrics.contract import Verb
from headroom.restore import enhance, expand, merge
from headroom.restore.network import choose_preset

FLOOR = "input"
"""The method that leaves a badly exposed photo as it is: the floor that every enhance method must beat."""

Masking = Literal["none", "auto"]
"""Where enhance methods make content up; see `headroom.enhance`."""

_FULL_PRECISION = WriteOptions(half=False)


@dataclass(frozen=True, slots=True)
class Way:
    """A method with what was chosen about it.

    Attributes:
        method: Its id.
        verb: What it does.
        preset: Its preset.
        weights: Weights to use instead of those that ship.
        mask: Where content is made up.
        steps: Steps in which it is; None for the usual number.
    """

    method: str
    verb: Verb
    preset: str
    weights: Path | None
    mask: Masking
    steps: int | None

    @property
    def options(self) -> dict[str, str | int]:
        """What was chosen beside method, preset and weights, for the record."""
        masked: dict[str, str | int] = {} if self.mask == "none" else {"mask": self.mask}
        return masked if self.steps is None else {**masked, "steps": self.steps}

    @property
    def suffix(self) -> str:
        """Suffix of the results."""
        return ".png" if self.verb == "enhance" else ".exr"

    def ready(self, item: AnyItem) -> Callable[[], Hdr | Photo]:
        """Read an item, so that only the work itself is timed.

        Raises:
            UsageError: The item is there for another verb.
            InputError: It cannot be read.
            DataError: It is not whole.
        """
        if self.verb != verb_of(item):
            raise UsageError(
                f"{self.method}: a method to {self.verb}, but the data set is there to {verb_of(item)}. Give another."
            )
        match item:
            case BracketScene():
                return partial(merge, item.bracket(), method=self.method, preset=self.preset, weights=self.weights)
            case EnhanceItem():
                return self._enhancing(item.photo())
        return partial(
            expand, item.photo(), method=self.method, preset=self.preset, weights=self.weights, use_gain_map=False
        )

    def _enhancing(self, photo: Photo) -> Callable[[], Photo]:
        if self.method == FLOOR:
            return lambda: photo
        make = partial(enhance, photo, method=self.method, preset=self.preset, weights=self.weights, mask=self.mask)
        return make if self.steps is None else partial(make, steps=self.steps)

    def made_by(self, result: Hdr | Photo) -> dict[str, Any]:
        """Say by what version and networks a result was made: fields of `Run`."""
        if self.method == FLOOR:
            return {"headroom": __version__, "weights_sha256": None, "parameters": 0}
        origin = result.provenance if isinstance(result, Hdr) else provenance.from_xmp(result.metadata.xmp)
        stages = origin.get("stages", [origin])
        hashes = [stage["weights_sha256"] for stage in stages if stage["weights_sha256"]]
        return {
            "headroom": origin["headroom"],
            "weights_sha256": "+".join(hashes) or None,
            "parameters": sum(_count_parameters(stage["method"], stage["preset"]) for stage in stages),
        }


def choose_way(
    method: str,
    preset: str | None = None,
    weights: Path | None = None,
    *,
    mask: Masking = "none",
    steps: int | None = None,
) -> Way:
    """Settle how results are made; see `Way`, and by default the method's own preset and weights.

    Raises:
        UsageError: Unknown method or preset, or options that mean nothing to it.
    """
    if method == FLOOR:
        if preset or weights or mask != "none" or steps is not None:
            raise UsageError(f"{FLOOR}: leaves photos as they are and has no options. Leave them out.")
        return Way(FLOOR, "enhance", "default", None, "none", None)
    chosen, preset = choose_preset(method, preset)
    if chosen.verb == "generate":
        raise UsageError(f"{method}: part of other methods, which makes no results itself. Give another.")
    if chosen.verb != "enhance" and mask != "none":
        raise UsageError(f"{method}: a method to {chosen.verb}, which knows no mask. Leave it out.")
    if mask == "none" and steps is not None:
        raise UsageError(f"{steps} steps: nothing is made up without a mask. Add --mask auto, or leave them out.")
    return Way(method, chosen.verb, preset, weights, mask, steps)


def write_result(result: Hdr | Photo, path: Path) -> None:
    """Write light in float32, and a photo in 8 bits.

    Raises:
        OutputError: It cannot be written.
    """
    if isinstance(result, Hdr):
        write_hdr(result, path, options=_FULL_PRECISION)
    else:
        write_photo(with_depth(result, 8), path)


@functools.cache
def _count_parameters(method_id: str, preset: str) -> int:
    method = load(method_id)
    with torch.device("meta"):
        network = method.build(method.presets[preset].settings)
    return sum(parameter.numel() for parameter in network.parameters())
