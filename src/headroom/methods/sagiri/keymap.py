"""Released checkpoints of Sagiri, and of DiffBIR, whose layouts they share.

Stage 1 keeps its released names. Stage 2 holds a latent prior's parts (`headroom.nn.latent.released`), `control.`
before the names of diffusers' `ControlNetModel`, and `condition_encoder.` before those of `AutoencoderKL`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.methods.sagiri.latent_swinir import PAPER, LatentSwinIR
from headroom.nn.latent.keymap import condition_encoder_table, control_table
from headroom.nn.latent.released import (
    AUTOENCODER,
    LDM_IGNORED,
    TEXT_ENCODER,
    autoencoder_part,
    denoiser_part,
    open_clip_part,
)
from headroom.weights.layout import Layout, Part, Table, below, recognise, rename, unchanged
from headroom.weights.reader import without_prefix

CONTROL, CONDITION_ENCODER = "control.", "condition_encoder."
"""What our names of each part of stage 2 start with, beside those of the latent prior."""

_STAGE1 = "preprocess_model."


@functools.cache
def layouts() -> tuple[Layout, ...]:
    """Return the layouts of both stages, and of a control branch on its own."""
    stage1 = Part("stage 1", (_stage1_table(), _stage1_table(_STAGE1)))
    control = below(CONTROL, control_table(), "control_model.")
    encoder = below(CONDITION_ENCODER, condition_encoder_table(), "cond_encoder.")
    stage2 = (
        Part("control branch", (control,)),
        Part("condition encoder", (encoder,)),
        denoiser_part(),
        autoencoder_part(),
        open_clip_part(),
    )
    bare = Part("control branch", (below(CONTROL, control_table()), control))
    return (
        Layout("sagiri_stage1", "Sagiri's first stage, or DiffBIR's SwinIR", "Apache-2.0", (stage1,)),
        Layout("sagiri_stage2", "Sagiri's second stage, or DiffBIR v1", "CreativeML Open RAIL++-M", stage2,
               (*LDM_IGNORED, _STAGE1)),
        Layout("control", "control branch of DiffBIR v2", "Apache-2.0", (bare,)),
    )  # fmt: skip


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of either stage's network, from a released state dict, an imported one, or our own.

    Raises:
        WeightsError: It is only a part of a known one, or encodes conditions otherwise than pictures.
    """
    state = without_prefix(state, "module.")
    if any(name.startswith((_STAGE1, "control_model.")) for name in state):
        tables = recognise(layouts(), state.keys()).tables(state.keys()).values()
        state = {name: value for table in tables for name, value in rename(table, state).items()}
    return _refiner(state) if any(name.startswith(CONTROL) for name in state) else state


def _refiner(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return what a refiner holds: a text encoder is read elsewhere, and conditions have no encoder of their own."""
    for name, value in state.items():
        if name.startswith(CONDITION_ENCODER):
            pictures = state.get(AUTOENCODER + name.removeprefix(CONDITION_ENCODER))
            # A folder may hold the one in half precision, and the other not.
            if pictures is not None and not torch.allclose(value, pictures, rtol=1e-3, atol=1e-4):
                raise WeightsError(
                    f"{name} differs from the autoencoder's, but conditions are encoded as pictures are. "
                    "Use a checkpoint whose condition encoder was not trained."
                )
    return {name: value for name, value in state.items() if not name.startswith((CONDITION_ENCODER, TEXT_ENCODER))}


def _stage1_table(released_prefix: str = "") -> Table:
    with torch.device("meta"):
        return unchanged(LatentSwinIR(PAPER).state_dict().keys(), released_prefix)
