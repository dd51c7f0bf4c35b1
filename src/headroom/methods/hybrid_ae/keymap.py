"""Recognise the released checkpoints by their keys, and rename those of `model_a`.

The names here are those of the released `model_b` and of the released U-Net, so only `model_a` needs a table.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from typing import Literal

import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.methods.hybrid_ae.paper import MODEL_A, MODEL_B, PAPER, build_paper
from headroom.methods.hybrid_ae.unet import UNetSettings, build_unet
from headroom.weights.layout import Layout as WeightsLayout
from headroom.weights.layout import Part, Piece, Table
from headroom.weights.reader import name_some

Layout = Literal["model_a", "model_b", "unet", "own"]
"""`own` is the slides' network (`paper.PAPER`), which was never released."""

MODEL_A_PREFIXES = {
    "encoder.features.": "encoder.",
    "decoder.bottleneck.": "bottleneck.",
    "decoder.up1.upsample.": "up0.up.",
    "decoder.up1.conv_block.0.": "up0.conv1.conv.",
    "decoder.up1.conv_block.2.": "up0.conv2.conv.",
    "decoder.up2.upsample.": "up1.up.",
    "decoder.up2.conv_block.0.": "up1.conv1.conv.",
    "decoder.up2.conv_block.2.": "up1.conv2.conv.",
    "decoder.up3.upsample.": "up2.up.",
    "decoder.up3.conv_block.0.": "up2.conv1.conv.",
    "decoder.up3.conv_block.2.": "up2.conv2.conv.",
    "decoder.up4.upsample.": "up3.up.",
    "decoder.up4.conv_block.0.": "up3.conv1.conv.",
    "decoder.up4.conv_block.2.": "up3.conv2.conv.",
    "decoder.final.1.": "up4.conv1.conv.",
    "decoder.final.3.": "final_conv.",
}
"""Released prefix to ours."""


def detect_layout(keys: Collection[str]) -> Layout:
    """Return which network has exactly these keys.

    Raises:
        WeightsError: None has; at most ten differences from the nearest one are named.
    """
    given = frozenset(keys)
    for layout, expected in _known_layouts():
        if given == expected:
            return layout
    layout, expected = min(_known_layouts(), key=lambda known: len(known[1] ^ given))
    problems = [f"{key} is missing" for key in sorted(expected - given)]
    problems += [f"{key} is unexpected" for key in sorted(given - expected)]
    raise WeightsError(
        f"these are not weights of hybrid_ae; beside the nearest layout, {layout}, {name_some(problems)}. "
        "Give the checkpoint's model state alone, without prefixes such as 'module.'."
    )


def to_own_names(state: Mapping[str, Tensor]) -> tuple[Layout, dict[str, Tensor]]:
    """Return a released checkpoint's layout and its tensors by the names that our network of that layout has.

    Raises:
        WeightsError: The keys belong to no known network.
    """
    layout = detect_layout(state)
    return layout, {_own_name(layout, key): value for key, value in state.items()}


@functools.cache
def layouts() -> tuple[WeightsLayout, ...]:
    """Return every layout with its table, for `headroom weights import`."""
    names = {
        "model_a": "hybrid_ae_model_a",
        "model_b": "hybrid_ae_model_b",
        "unet": "hybrid_ae_unet",
        "own": "hybrid_ae_paper",
    }
    tables: dict[str, list[Table]] = {name: [] for name in names.values()}
    for layout, keys in _known_layouts():
        tables[names[layout]].append({_own_name(layout, key): Piece(key) for key in keys})
    return tuple(
        WeightsLayout(
            name, f"hybrid autoencoder, {name.removeprefix('hybrid_ae_')}", "MIT", (Part("network", tuple(of)),)
        )
        for name, of in tables.items()
    )


def _own_name(layout: Layout, key: str) -> str:
    if layout != "model_a":
        return key
    return next(
        ours + key.removeprefix(released) for released, ours in MODEL_A_PREFIXES.items() if key.startswith(released)
    )


@functools.cache
def _known_layouts() -> tuple[tuple[Layout, frozenset[str]], ...]:
    """Return the keys of every layout, from networks without storage."""
    with torch.device("meta"):
        model_a, model_b, own = (frozenset(build_paper(s).state_dict()) for s in (MODEL_A, MODEL_B, PAPER))
        shuffled, nearest = (
            frozenset(build_unet(UNetSettings(upsample=upsample)).state_dict())
            for upsample in ("pixelshuffle", "nearest")
        )
    released = frozenset(_released_name(key) for key in model_a)
    return ("model_a", released), ("model_b", model_b), ("unet", shuffled), ("unet", nearest), ("own", own)


def _released_name(key: str) -> str:
    return next(
        released + key.removeprefix(ours) for released, ours in MODEL_A_PREFIXES.items() if key.startswith(ours)
    )
