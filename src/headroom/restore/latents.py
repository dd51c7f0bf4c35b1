"""HDR images of latents: those that the latent prior draws, or the pipelines of diffusers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headroom._version import __version__
from headroom.errors import InsufficientMemory, UsageError
from headroom.image import Hdr
from headroom.io import provenance
from headroom.methods import GENERATES_BY_DEFAULT
from headroom.methods.contract import Capabilities, ExpandInput, LatentsInput, Progress
from headroom.nn.latent.prior import AUTOENCODER_FACTOR
from headroom.restore.network import choose_preset, load_network
from headroom.restore.plan import free_memory
from headroom.restore.reduce import full_input
from headroom.restore.stages import Stage, check_words

_CHANNELS = 4
"""Of the latents of Stable Diffusion, and of ours."""
_TOP_CODE = 255
_BRIGHTEST = 2.0**20
"""As bright as the sun's disc over a white wall in the shade; it keeps every result finite, whatever the weights."""


def expand_latents(
    latents: Tensor,
    *,
    picture: NDArray[np.uint8] | None = None,
    method: str = GENERATES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    prompt: str = "",
    panorama: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Hdr:
    """Make an HDR image of the latents of a picture that a generative model drew.

    Args:
        latents: C x h x w or 1 x C x h x w, as the pipelines of diffusers give with `output_type="latent"`. They have
            to be of the model that the preset grew from: its own latent prior, or Stable Diffusion.
        picture: 8h x 8w x 3 sRGB codes that the model's own decoder makes of them; tells how bright the light is. As
            the method gives it when None.
        method: Method id; see `headroom.methods.available`.
        preset: Size of the method; its default when None.
        weights: Path of a safetensors file, or of a folder where a preset takes one, to use instead of the weights that
            ship.
        prompt: What the picture shows, in words, for networks that read them.
        panorama: True for an equirectangular panorama, whose left and right edges meet.
        seed: Seed of the method's random numbers.
        progress: Told the finished share, 0 to 1.

    Returns:
        8h x 8w linear BT.709 light, 1.0 = SDR white, all of it marked as recovered.

    Raises:
        UsageError: Unknown method or preset, or latents that are none of its model.
        InsufficientMemory: The picture does not fit.
        MissingDependency: Words are read, and what reads them is not installed.
        WeightsError: The weights are missing or damaged.
    """
    chosen, preset_name = choose_preset(method, preset, "expand")
    if chosen.light_of is None:
        raise UsageError(f"{method} expands photos, and latents mean nothing to it. Use {GENERATES_BY_DEFAULT}.")
    if prompt:
        check_words(Stage(chosen, preset_name))
    capabilities = chosen.presets[preset_name].capabilities
    batch = _checked(latents, capabilities.size_multiple // AUTOENCODER_FACTOR)
    height, width = (AUTOENCODER_FACTOR * side for side in batch.shape[2:])
    check_memory(width, height, capabilities)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    inputs = LatentsInput(batch.to(device), _seen(picture, (height, width), device), prompt, panorama)
    loaded = load_network(method, preset_name, weights, device)
    generator = torch.Generator(device).manual_seed(seed)
    with torch.inference_mode():
        light = chosen.light_of(loaded.network, inputs, generator, progress or (lambda _share: None))
    finite = torch.nan_to_num(light[0].float(), nan=0.0).clamp(0, _BRIGHTEST)
    made = {
        "headroom": __version__,
        "generated": True,
        "method": method,
        "preset": preset_name,
        "weights_sha256": loaded.weights_sha256,
        "seed": seed,
        **provenance.unless_default({"prompt": prompt, "panorama": panorama}, prompt="", panorama=False),
    }
    pixels = finite.permute(1, 2, 0).cpu().contiguous().numpy()
    return Hdr(pixels, recovered=np.ones((height, width), np.float32), provenance=made)


def from_pipeline(
    pipeline: Any,  # noqa: ANN401 - diffusers has no types
    prompt: str,
    *,
    negative_prompt: str = "",
    size_px: tuple[int, int] = (512, 512),
    steps: int = 30,
    guidance: float = 7.5,
    method: str = GENERATES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    seed: int = 0,
) -> Hdr:
    """Let a Stable Diffusion pipeline of diffusers draw, and make an HDR image of its latents.

    Args:
        pipeline: A `StableDiffusionPipeline`, or one that is called alike and has its `vae`.
        prompt: What the picture shows, in words.
        negative_prompt: What it does not show.
        size_px: Width and height.
        steps: Steps in which it is drawn.
        guidance: Weight of the words.
        method: See `expand_latents`, as for what follows.
        preset: See `expand_latents`.
        weights: See `expand_latents`.
        seed: Of both.

    Raises:
        UsageError: See `expand_latents`, as for the other errors.
    """
    width, height = size_px
    drawn = pipeline(
        prompt,
        negative_prompt=negative_prompt,
        width=width,
        height=height,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator().manual_seed(seed),
        output_type="latent",
    )
    latents: Tensor = drawn.images
    with torch.inference_mode():
        decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample[0]
    codes = decoded.float().add(1).mul(_TOP_CODE / 2).round().clamp(0, _TOP_CODE).byte()
    picture = codes.permute(1, 2, 0).cpu().contiguous().numpy()
    return expand_latents(latents, picture=picture, method=method, preset=preset, weights=weights, seed=seed)


def check_memory(width: int, height: int, capabilities: Capabilities) -> None:
    """See that a network may look at all of a picture at once.

    Raises:
        InsufficientMemory: It does not fit.
    """
    need, free = capabilities.peak_bytes_per_pixel * width * height, free_memory()
    if need > free:
        raise InsufficientMemory(
            f"{width} x {height} pixels need about {need / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free. "
            "Close other programs or ask for a smaller size."
        )


def _checked(latents: Tensor, multiple: int) -> Tensor:
    """Give latents as a batch of one."""
    shape = " x ".join(map(str, latents.shape))
    batch = latents[None] if latents.ndim == 3 else latents
    if batch.ndim != 4 or len(batch) != 1 or batch.shape[1] != _CHANNELS or not batch.numel():
        raise UsageError(f"latents of {shape}: give those of one picture, {_CHANNELS} x h x w.")
    if any(side % multiple for side in batch.shape[2:]):
        raise UsageError(f"latents of {shape}: this network takes sides that are multiples of {multiple}.")
    if not batch.isfinite().all():
        raise UsageError("latents that are not finite: were they drawn in half precision? Draw them in float32.")
    return batch.detach().float()


def _seen(picture: NDArray[np.uint8] | None, size: tuple[int, int], device: torch.device) -> ExpandInput | None:
    """Give a picture as networks see photos."""
    if picture is None:
        return None
    if picture.shape != (*size, 3) or picture.dtype != np.uint8:
        raise UsageError(
            f"a picture of {picture.shape}, {picture.dtype}: its latents are those of {(*size, 3)}, uint8. Give that."
        )
    return full_input(picture, picture == _TOP_CODE).mapped(lambda tensor: tensor.to(device))
