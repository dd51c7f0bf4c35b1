"""A bracket in, one HDR image out: the engine behind `headroom.merge`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headroom._version import __version__
from headroom.errors import UsageError
from headroom.image import Bracket, FloatImage, Hdr, Photo
from headroom.methods import available, load
from headroom.methods.contract import MergeInput
from headroom.restore.align import Aligned
from headroom.restore.align import align as align_frames
from headroom.restore.bracket_input import pad_merge_input
from headroom.restore.exposures import SettledBracket, settle
from headroom.restore.fuse import RunMethod, fuse
from headroom.restore.network import Loaded, choose_preset, load_network
from headroom.restore.noise import estimate_noise
from headroom.restore.plan import Plan, make_plan
from headroom.restore.support import Stack

Progress = Callable[[float], None]

DEFAULT_METHOD = "debevec"
_BYTES_PER_PIXEL = 64
_BYTES_PER_FRAME_PIXEL = 13
_CLIP_LEVEL, _COMPRESSED_CLIP_LEVEL = 0.99, 0.95
"""Light, 1.0 = full scale, from which a sample may be a clipped one; compression smears the clip level."""


def merge(
    bracket: Bracket,
    *,
    method: str = DEFAULT_METHOD,
    preset: str | None = None,
    weights: Path | None = None,
    align: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Hdr:
    """Merge a bracket into one HDR image: what its reference frame saw, with the range of all.

    A pixel is the mean of the frames that are not clipped there and agree with the reference, weighted by their noise;
    the method decides where they disagree. What no unclipped frame supports is marked in `Hdr.recovered`. A frame that
    doesn't belong is left out, and `Hdr.provenance` says why.

    Args:
        bracket: Two to nine upright photos of one size.
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file to use instead of the weights that ship.
        align: False for frames from a tripod that fit already.
        seed: Seed of methods that draw random numbers.
        progress: Told the finished share, 0 to 1.

    Returns:
        Linear pixels where full scale of the reference is 1.0, SDR white, in the photos' own primaries.

    Raises:
        UsageError: Unknown method or preset.
        InputError: The frames are no bracket.
        InsufficientMemory: They do not fit.
        WeightsError: The weights are missing or damaged.
    """
    report = progress or (lambda _share: None)
    loaded, plan = _prepare(bracket, method, preset, weights)
    settled = settle(bracket)
    aligned = _aligned(settled, lambda share: report(0.4 * share)) if align else _as_they_are(settled)
    generator = torch.Generator(plan.device).manual_seed(seed)
    pixels, recovered = fuse(
        _stack(settled, aligned),
        _runner(loaded, plan, generator),
        loaded.preset.capabilities,
        tile_px=plan.tile_px,
        strip_rows=plan.strip_rows,
        progress=lambda share: report(0.4 + 0.6 * share),
    )
    photo = settled.photos[settled.reference]
    provenance = {**_origin(settled, aligned, loaded), "align": align, "seed": seed}
    return Hdr(pixels, photo.encoding.primaries, recovered, photo, photo.metadata, provenance, photo.source)


def _prepare(bracket: Bracket, method: str, preset: str | None, weights: Path | None) -> tuple[Loaded, Plan]:
    """Load the network and see that the work fits before it starts."""
    chosen, preset_name = choose_preset(method, preset)
    if chosen.verb != "merge":
        others = [name for name in available() if load(name).verb == "merge"]
        raise UsageError(
            f"{method} is no method to merge with, but one to {chosen.verb}. There are {', '.join(others)}."
        )
    photo = bracket.frames[0]
    held = _BYTES_PER_PIXEL + _BYTES_PER_FRAME_PIXEL * len(bracket.frames)
    capabilities = chosen.presets[preset_name].capabilities
    plan = make_plan(photo.height, photo.width, capabilities, held_bytes_per_pixel=held)
    return load_network(method, preset_name, weights, plan.device), plan


class _Frames(Sequence[FloatImage]):
    """The linear frames of a bracket, made when they are asked for."""

    def __init__(self, settled: SettledBracket, progress: Progress) -> None:
        self._settled, self._progress = settled, progress

    def __len__(self) -> int:
        return len(self._settled.photos)

    def __getitem__(self, i: int) -> FloatImage:  # type: ignore[override]  # nobody asks for a slice
        self._progress(i / len(self))
        return self._settled.linear(i)


def _aligned(settled: SettledBracket, progress: Progress) -> Aligned:
    return align_frames(_Frames(settled, progress), settled.exposures, settled.reference)


def _as_they_are(settled: SettledBracket) -> Aligned:
    frames = [settled.linear(i) for i in range(len(settled.photos))]
    return Aligned(frames, [np.ones(frame.shape[:2], np.bool_) for frame in frames], {}, (False,) * len(frames))


def _stack(settled: SettledBracket, aligned: Aligned) -> Stack:
    """Take the frames that belong."""
    kept = [i for i in range(len(aligned.linear)) if i not in aligned.rejected]
    frames = [aligned.linear[i] for i in kept]
    photos = [settled.photos[i] for i in kept]
    own = settled.exposures[settled.reference]
    return Stack(
        frames,
        [aligned.valid[i] for i in kept],
        [settled.exposures[i] / own for i in kept],
        kept.index(settled.reference),
        [estimate_noise(frame, _code_step(photo)) for frame, photo in zip(frames, photos, strict=True)],
        [_COMPRESSED_CLIP_LEVEL if photo.lossy_step > 0 else _CLIP_LEVEL for photo in photos],
    )


def _code_step(photo: Photo) -> float:
    return max(1.0, photo.lossy_step) / photo.top_code if photo.bit_depth < 32 else 0.0


def _runner(loaded: Loaded, plan: Plan, generator: torch.Generator) -> RunMethod:
    """Give a function that pads, runs and crops."""
    capabilities = loaded.preset.capabilities

    @torch.inference_mode()
    def run(inputs: MergeInput) -> Tensor:
        height, width = inputs.encoded.shape[-2:]
        padded = pad_merge_input(inputs, capabilities.size_multiple, capabilities.minimum_size_px)
        on_device = MergeInput(*(tensor.to(plan.device) for tensor in padded))
        light = loaded.method.run(loaded.network, on_device, generator, lambda _share: None)
        return light[:, :, :height, :width].float().cpu()

    return run


def _origin(settled: SettledBracket, aligned: Aligned, loaded: Loaded) -> dict[str, Any]:
    """Say what made a result: the program, the network, and what became of every frame."""
    names = [photo.source.name if photo.source else str(i) for i, photo in enumerate(settled.photos)]
    own = settled.exposures[settled.reference]
    return {
        "headroom": __version__,
        "method": loaded.method.id,
        "preset": loaded.preset_name,
        "weights_sha256": loaded.weights_sha256,
        "frames": names,
        "exposures_ev": [round(float(np.log2(exposure / own)), 3) for exposure in settled.exposures],
        "reference": names[settled.reference],
        "moved": [name for name, helped in zip(names, aligned.helped, strict=True) if helped],
        "rejected": {names[i]: reason for i, reason in aligned.rejected.items()},
        "warnings": list(settled.warnings),
    }
