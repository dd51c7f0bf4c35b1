"""A bracket in, one HDR image out: the engine behind `headroom.merge`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headroom._version import __version__
from headroom.colour.transfer import decode_codes
from headroom.image import Bracket, Encoding, Hdr
from headroom.io import provenance
from headroom.methods import MERGES_BY_DEFAULT
from headroom.methods.contract import MergeInput, Progress
from headroom.restore.bracket_input import pad_merge_input
from headroom.restore.exposures import SettledBracket, settle
from headroom.restore.fuse import RunMethod, fuse, predict
from headroom.restore.gather import Gathered, frame_names, gather
from headroom.restore.network import Loaded, choose_preset, load_network
from headroom.restore.plan import Plan, make_plan

_BYTES_PER_PIXEL = 64
_BYTES_PER_FRAME_PIXEL = 13


def merge(
    bracket: Bracket,
    *,
    method: str = MERGES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    align: bool = True,
    predicted: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Hdr:
    """Merge a bracket into one HDR image: what its reference frame saw, with the range of all.

    A pixel is the mean of the frames that are not clipped there and agree with the reference, weighted by their noise;
    the method decides where they disagree. What no unclipped frame supports is marked in `Hdr.recovered`, and so is
    what the method decides in doubt. A frame that doesn't belong is left out, and `Hdr.provenance` says why.

    Args:
        bracket: Two to nine upright photos of one size.
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file to use instead of the weights that ship.
        align: False for frames from a tripod, which fit already.
        predicted: True for what the method alone says of every pixel, as the literature compares methods; it counts as
            recovered as far as the method is in doubt, and all of it where that does not tell.
        seed: Seed of methods that draw random numbers.
        progress: Told the finished share, 0 to 1.

    Returns:
        Linear pixels where full scale of the reference is 1.0, SDR white, in the photos' own primaries.

    Raises:
        UsageError: Unknown method or preset, or no such reference.
        InputError: The frames are no bracket.
        InsufficientMemory: They do not fit.
        WeightsError: The weights are missing or damaged.
    """
    report = progress or (lambda _share: None)
    settled = settle(bracket)
    loaded, plan = _prepare(settled, method, preset, weights)
    gathered = gather(settled, aligning=align, progress=lambda share: report(0.4 * share))
    run, capabilities = _runner(loaded, plan, seed), loaded.preset.capabilities
    compose = predict if predicted else fuse
    pixels, recovered = compose(
        gathered.stack, run, capabilities, plan.tile_px, lambda share: report(0.4 + 0.6 * share)
    )
    merged = gathered.settled
    photo, encoding = merged.photos[merged.reference], merged.encodings[merged.reference]
    if encoding.sensor_matrix is not None:
        pixels = decode_codes(pixels, Encoding(transfer="linear", sensor_matrix=encoding.sensor_matrix), 32)
    made = {
        **_origin(settled, gathered, loaded),
        **_curve(encoding),
        **provenance.unless_default({"align": align, "predicted": predicted}, align=True, predicted=False),
        "seed": seed,
    }
    return Hdr(pixels, encoding.primaries, recovered, photo, photo.metadata, made, photo.source)


def _prepare(settled: SettledBracket, method: str, preset: str | None, weights: Path | None) -> tuple[Loaded, Plan]:
    """Load the network and see that the work fits before it starts."""
    chosen, preset_name = choose_preset(method, preset, "merge")
    photo, held = settled.photos[0], _BYTES_PER_PIXEL + _BYTES_PER_FRAME_PIXEL * len(settled.photos)
    capabilities = chosen.presets[preset_name].capabilities
    plan = make_plan(photo.height, photo.width, capabilities, held_bytes_per_pixel=held)
    return load_network(method, preset_name, weights, plan.device), plan


def _runner(loaded: Loaded, plan: Plan, seed: int) -> RunMethod:
    """Give a function that pads, runs and crops."""
    capabilities = loaded.preset.capabilities
    generator = torch.Generator(plan.device).manual_seed(seed)

    @torch.inference_mode()
    def run(inputs: MergeInput) -> Tensor:
        height, width = inputs.encoded.shape[-2:]
        padded = pad_merge_input(inputs, capabilities.size_multiple, capabilities.minimum_size_px)
        on_device = MergeInput(*(tensor.to(plan.device) for tensor in padded))
        with plan.precision():
            found = loaded.method.run(loaded.network, on_device, generator, lambda _share: None)
        return found[:, :, :height, :width].float().cpu()

    return run


def _origin(settled: SettledBracket, gathered: Gathered, loaded: Loaded) -> dict[str, Any]:
    """Say what made a result: the program, the network, and what became of every frame."""
    names, merged = frame_names(settled), gathered.settled
    reference = gathered.places[merged.reference]
    ev = np.log2(settled.exposures) - np.log2(settled.exposures[reference])
    ev[list(gathered.places)] = np.log2(merged.exposures) - np.log2(merged.exposures[merged.reference])
    warnings = list(merged.warnings)
    if settled.reference in gathered.rejected:
        warnings.append(f"{names[settled.reference]} doesn't fit the others, so {names[reference]} is the reference.")
    return {
        "headroom": __version__,
        "method": loaded.method.id,
        "preset": loaded.preset_name,
        "weights_sha256": loaded.weights_sha256,
        "frames": names,
        "exposures_ev": ev.round(3).tolist(),
        "reference": names[reference],
        "moved": [names[i] for i in gathered.moved],
        "rejected": {names[i]: gathered.rejected[i] for i in sorted(gathered.rejected)},
        "warnings": warnings,
    }


def _curve(encoding: Encoding) -> dict[str, Any]:
    return {"curve": encoding.transfer or "table", "curve_known": encoding.known}
