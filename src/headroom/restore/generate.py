"""Pictures that nobody took, drawn from noise: the engine behind `headroom.generate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom._version import __version__
from headroom.errors import UsageError
from headroom.image import Hdr, Metadata, Photo
from headroom.io import provenance
from headroom.limits import LIMITS
from headroom.methods import DRAWS_LATENTS, GENERATES_BY_DEFAULT
from headroom.methods.contract import GenerateInput, Method, Progress, Sampling
from headroom.nn.latent.prior import LatentPrior
from headroom.nn.latent.tiling import decode_tiled, decode_wrapping
from headroom.restore.latents import check_memory, expand_latents
from headroom.restore.network import Loaded, choose_preset, load_network
from headroom.restore.sampling import check_sampling
from headroom.restore.stages import Stage, check_words

_READS_WORDS = "stable_diffusion"
"""Preset of the latent prior that is read from a folder."""
_SIDE_PX = 512
_DRAWING_SHARE = 0.5
"""Of the time that drawing a picture and making light of it take."""


def generate(
    *,
    method: str = GENERATES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    prior: Path | None = None,
    prompt: str = "",
    negative_prompt: str = "",
    size_px: tuple[int, int] | None = None,
    panorama: bool = False,
    steps: int = 30,
    guidance: float = 7.5,
    seed: int = 0,
    progress: Progress | None = None,
) -> Hdr | Photo:
    """Draw a picture from noise.

    Args:
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file, or of a folder where a preset takes one, to use instead of the weights that
            ship.
        prior: Folder of a Stable Diffusion whose latents a preset makes light of that grew from it.
        prompt: What the picture shows, in words, for networks that read them.
        negative_prompt: What it does not show.
        size_px: Width and height; 512 x 512, or 1024 x 512 of a panorama, when None.
        panorama: True for an equirectangular panorama, whose left and right edges meet.
        steps: Steps in which it is drawn.
        guidance: Weight of the words; 1 as they are.
        seed: Another one gives another picture, the same one the same.
        progress: Told the finished share, 0 to 1.

    Returns:
        An HDR image, all of it marked as recovered, of a method that makes light; else an sRGB photo of 8 bits. Either
        says how it was made.

    Raises:
        UsageError: Unknown method or preset, or a value that is out of range or means nothing here.
        InsufficientMemory: The picture does not fit.
        MissingDependency: Words are given, and what reads them is not installed.
        WeightsError: The weights are missing or damaged.
    """
    chosen, preset_name = choose_preset(method, preset, "generate")
    sampling = Sampling(steps, guidance=guidance, prompt=prompt, negative_prompt=negative_prompt)
    check_sampling(sampling, seed)
    capabilities = chosen.presets[preset_name].capabilities
    if prompt or negative_prompt:
        check_words(Stage(chosen, preset_name))
    _check_prior(chosen, preset_name, prior)
    size = _checked_size(size_px, capabilities.size_multiple, panorama=panorama)
    check_memory(*size, capabilities)
    inputs = _inputs(size, capabilities.size_multiple, sampling, wraps=panorama)
    report = progress or (lambda _share: None)
    if chosen.light_of is None:
        drawn = _draw(_load(method, preset_name, weights), inputs, seed, report)
        xmp = provenance.into_xmp(None, _origin(drawn.loaded, inputs, seed))
        return Photo(_cut(drawn.picture, size), 8, metadata=Metadata(xmp=xmp))
    drawer = _load(DRAWS_LATENTS, _READS_WORDS if prior else None, prior)
    drawn = _draw(drawer, inputs, seed, lambda share: report(_DRAWING_SHARE * share))
    hdr = expand_latents(
        drawn.latents,
        picture=drawn.picture,
        method=method,
        preset=preset_name,
        weights=weights,
        prompt=prompt,
        panorama=panorama,
        seed=seed,
        progress=lambda share: report(_DRAWING_SHARE + (1 - _DRAWING_SHARE) * share),
    )
    made = {**_origin(drawer, inputs, seed), **hdr.provenance, "drawn_by": drawer.method.id}
    pixels = _cut(hdr.pixels, size)
    return replace(hdr, pixels=pixels, recovered=np.ones_like(pixels[..., 0]), provenance=made)


class _Drawn(NamedTuple):
    """A picture, and what it was decoded from.

    Attributes:
        loaded: The latent prior.
        latents: 1 x C x h x w.
        picture: 8h x 8w x 3 sRGB codes.
    """

    loaded: Loaded
    latents: Tensor
    picture: NDArray[np.uint8]


@torch.inference_mode()
def _draw(loaded: Loaded, inputs: GenerateInput, seed: int, progress: Progress) -> _Drawn:
    prior, draw = loaded.network, loaded.method.draw
    if not isinstance(prior, LatentPrior) or draw is None:
        raise TypeError(f"{loaded.method.id} draws no latents")
    device = prior.latent_mean.device
    latents = draw(prior, inputs, torch.Generator(device).manual_seed(seed), progress)
    decoded = (decode_wrapping if inputs.wraps else decode_tiled)(prior, latents)[0]
    codes = torch.nan_to_num(decoded, nan=0.0).clamp(0, 1).mul(255).round().byte()
    return _Drawn(loaded, latents, codes.permute(1, 2, 0).cpu().contiguous().numpy())


def _load(method: str, preset: str | None, weights: Path | None) -> Loaded:
    _, name = choose_preset(method, preset)
    return load_network(method, name, weights, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def _check_prior(method: Method[Any], preset: str, prior: Path | None) -> None:
    """See that a preset makes light of the latents that are drawn."""
    if method.light_of is None:
        if prior:
            raise UsageError(f"{method.id} draws by itself, so {prior} means nothing to it. Give it as weights.")
        return
    on_words = method.presets[preset].capabilities.needs_prompt
    if on_words and prior is None:
        raise UsageError(
            f"{method.id} {preset} makes light of what Stable Diffusion draws. Give a folder of it as prior, or use "
            f"the preset {method.default_preset}."
        )
    if prior and not on_words:
        raise UsageError(
            f"{method.id} {preset} makes light of what the prior that ships draws, so {prior} means nothing to it. "
            "Leave the prior out, or use a preset that grew from Stable Diffusion."
        )


def _checked_size(size_px: tuple[int, int] | None, multiple: int, *, panorama: bool) -> tuple[int, int]:
    """Settle width and height."""
    width, height = size_px or ((2 * _SIDE_PX if panorama else _SIDE_PX), _SIDE_PX)
    if min(width, height) < 1 or max(width, height) > LIMITS.side_px or width * height > LIMITS.pixels:
        raise UsageError(
            f"size {width} x {height}: give sides from 1 to {LIMITS.side_px} and {LIMITS.pixels // 1_000_000} million "
            "pixels at most."
        )
    if panorama and (width != 2 * height or height % multiple):
        near = max(round(height / multiple), 1) * multiple
        raise UsageError(
            f"size {width} x {height}: a panorama is twice as wide as high, and its height a multiple of {multiple}. "
            f"Give {2 * near}x{near}."
        )
    return width, height


def _inputs(size: tuple[int, int], multiple: int, sampling: Sampling, *, wraps: bool) -> GenerateInput:
    """Ask for a picture that is as large as it has to be."""
    width, height = (-(-side // multiple) * multiple for side in size)
    return GenerateInput(1, height, width, sampling, wraps)


def _cut(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    return np.ascontiguousarray(image[: size[1], : size[0]])


def _origin(loaded: Loaded, inputs: GenerateInput, seed: int) -> dict[str, Any]:
    """Say that a picture was made up, and how."""
    words = {"prompt": inputs.sampling.prompt, "negative_prompt": inputs.sampling.negative_prompt}
    asked = {**words, "panorama": inputs.wraps}
    return {
        "headroom": __version__,
        "generated": True,
        "method": loaded.method.id,
        "preset": loaded.preset_name,
        "weights_sha256": loaded.weights_sha256,
        "steps": inputs.sampling.steps,
        "guidance": inputs.sampling.guidance,
        "seed": seed,
        **provenance.unless_default(asked, prompt="", negative_prompt="", panorama=False),
    }
