"""Pictures that nobody took, drawn from noise: the engine behind `headroom.generate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headroom._version import __version__
from headroom.errors import InsufficientMemory, UsageError
from headroom.image import Metadata, Photo
from headroom.io import provenance
from headroom.limits import LIMITS
from headroom.methods import GENERATES_BY_DEFAULT
from headroom.methods.contract import Capabilities, GenerateInput, Sampling
from headroom.restore.network import Loaded, choose_preset, load_network
from headroom.restore.plan import free_memory
from headroom.restore.sampling import check_sampling
from headroom.restore.stages import Stage, check_words

Progress = Callable[[float], None]

_SIDE_PX = 512


def generate(
    *,
    method: str = GENERATES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    prompt: str = "",
    negative_prompt: str = "",
    size_px: tuple[int, int] | None = None,
    panorama: bool = False,
    steps: int = 30,
    guidance: float = 7.5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Photo:
    """Draw a picture from noise.

    Args:
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file, or of a folder where a preset takes one, to use instead of the weights that
            ship.
        prompt: What the picture shows, in words, for networks that read them.
        negative_prompt: What it does not show.
        size_px: Width and height; 512 x 512, or 1024 x 512 of a panorama, when None.
        panorama: True for an equirectangular panorama, whose left and right edges meet.
        steps: Steps in which it is drawn.
        guidance: Weight of the words; 1 as they are.
        seed: Another one gives another picture, the same one the same.
        progress: Told the finished share, 0 to 1.

    Returns:
        A photo of 8 bits in sRGB. Its XMP says how it was made.

    Raises:
        UsageError: Unknown method or preset, or a value that is out of range or means nothing here.
        InsufficientMemory: The picture does not fit.
        MissingDependency: Words are given, and what reads them is not installed.
        WeightsError: The weights are missing or damaged.
    """
    chosen, preset_name = choose_preset(method, preset, "generate")
    sampling = Sampling(steps, guidance=guidance, prompt=prompt, negative_prompt=negative_prompt)
    check_sampling(sampling, seed)
    if prompt or negative_prompt:
        check_words(Stage(chosen, preset_name))
    capabilities = chosen.presets[preset_name].capabilities
    width, height = _checked_size(size_px, capabilities.size_multiple, panorama=panorama)
    _check_memory(width, height, capabilities)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loaded = load_network(method, preset_name, weights, device)
    drawn = _draw(
        loaded, (width, height), sampling, torch.Generator(device).manual_seed(seed), progress, wraps=panorama
    )
    codes = np.rint(255 * drawn.clamp(0, 1).numpy()).astype(np.uint8)
    xmp = provenance.into_xmp(None, _origin(loaded, sampling, seed, panorama=panorama))
    return Photo(codes, 8, metadata=Metadata(xmp=xmp))


def _checked_size(size_px: tuple[int, int] | None, multiple: int, *, panorama: bool) -> tuple[int, int]:
    """Settle width and height."""
    width, height = size_px or ((2 * _SIDE_PX if panorama else _SIDE_PX), _SIDE_PX)
    if min(width, height) < 1 or max(width, height) > LIMITS.side_px or width * height > LIMITS.pixels:
        raise UsageError(f"size {width} x {height}: give sides from 1 to {LIMITS.side_px}.")
    if panorama and (width != 2 * height or height % multiple):
        near = max(round(height / multiple), 1) * multiple
        raise UsageError(
            f"size {width} x {height}: a panorama is twice as wide as high, and its height a multiple of {multiple}. "
            f"Give {2 * near}x{near}."
        )
    return width, height


def _check_memory(width: int, height: int, capabilities: Capabilities) -> None:
    need, free = capabilities.peak_bytes_per_pixel * width * height, free_memory()
    if need > free:
        raise InsufficientMemory(
            f"{width} x {height} pixels need about {need / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free. "
            "Close other programs or ask for a smaller size."
        )


@torch.inference_mode()
def _draw(
    loaded: Loaded,
    size_px: tuple[int, int],
    sampling: Sampling,
    generator: torch.Generator,
    progress: Progress | None,
    *,
    wraps: bool,
) -> Tensor:
    """Run the network on a picture that is as large as it has to be, and cut it: H x W x 3, finite."""
    multiple = loaded.preset.capabilities.size_multiple
    width, height = size_px
    padded_height, padded_width = (-(-side // multiple) * multiple for side in (height, width))
    inputs = GenerateInput(1, padded_height, padded_width, sampling, wraps)
    drawn: Tensor = loaded.method.run(loaded.network, inputs, generator, progress or (lambda _share: None))
    cut = drawn[0, :, :height, :width].permute(1, 2, 0)
    return torch.nan_to_num(cut.float(), nan=0.0).cpu().contiguous()


def _origin(loaded: Loaded, sampling: Sampling, seed: int, *, panorama: bool) -> dict[str, Any]:
    """Say that a picture was made up, and how."""
    return {
        "headroom": __version__,
        "generated": True,
        "method": loaded.method.id,
        "preset": loaded.preset_name,
        "weights_sha256": loaded.weights_sha256,
        **{name: value for name, value in asdict(sampling).items() if name != "strength"},
        "panorama": panorama,
        "seed": seed,
    }
