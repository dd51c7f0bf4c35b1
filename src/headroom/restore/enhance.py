"""A badly exposed photo in, a good one out: the engine behind `headroom.enhance`.

Two stages, each from photo to photo. The first maps brightness and colours, and makes nothing up. The second fills in
what the photo shows nothing of, where a mask says so; it runs after any other tool too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from numpy.typing import NDArray

from headroom._version import __version__
from headroom.errors import UsageError
from headroom.image import Photo
from headroom.io import provenance
from headroom.io.gain_map_metadata import without_directory
from headroom.methods import ENHANCES_BY_DEFAULT
from headroom.methods.contract import Progress, Sampling
from headroom.restore.caption import read_captioner
from headroom.restore.expand import expand
from headroom.restore.network import Loaded, load_network
from headroom.restore.picture import as_picture, well_exposed_picture
from headroom.restore.plan import make_plan
from headroom.restore.recolour import recolour
from headroom.restore.refine import largest_region, refine
from headroom.restore.repaint import Painter
from headroom.restore.sampling import check_sampling
from headroom.restore.stages import Stage, check_words, choose_stages
from headroom.restore.unknown import Mask, drawn_unknown, find_unknown

Masking = Literal["none", "auto"] | NDArray[Any]
"""Where content is made up; see `enhance`."""

Made = dict[str, Any]
"""What a network was: the values of `_MADE`."""

_MADE = ("method", "preset", "weights_sha256")

_HELD_BYTES_PER_PIXEL = 24
"""Of the photo, its result and its mask while they are held together, measured on 16-bit photos."""
_REFINED_BYTES_PER_PIXEL = 120
"""Of all that a second stage sees at once, beside one of its tiles, measured on the compact one."""
_FIRST_SHARE = 0.1
"""Of the time that both stages take."""


def enhance(
    photo: Photo,
    *,
    method: str = ENHANCES_BY_DEFAULT,
    preset: str | None = None,
    weights: Path | None = None,
    refine_preset: str | None = None,
    refine_weights: Path | None = None,
    mask: Masking = "none",
    prompt: str = "",
    negative_prompt: str = "",
    caption: Path | None = None,
    strength: float = 1.0,
    steps: int = 30,
    guidance: float = 1.0,
    seed: int = 0,
    stage1: str | None = None,
    refine_only: bool = False,
    progress: Progress | None = None,
) -> Photo:
    """Repair a badly exposed photo. This is the one verb that repaints what was measured.

    Args:
        photo: An upright photo; camera RAW is developed to sRGB of 16 bits first.
        method: Method id; see `headroom.methods.available`.
        preset: Size of one of the method's stages; the other stage, and both when None, have their default.
        weights: Path of a safetensors file, or of a folder where a preset takes one, to use instead of the weights that
            ship for `preset`.
        refine_preset: Size of the stage that makes content up, where `preset` is the other one's.
        refine_weights: The same as `weights`, for that stage.
        mask: Where content is made up: "none", "auto" where all channels are blown or crushed, or H x W (x 3) values
            with the photo's aspect ratio, white or True there.
        prompt: What the picture shows, in words, for networks that read them.
        negative_prompt: What it does not show; acts where `guidance` is not 1.
        caption: Folder of an image-to-text model whose description of the picture goes on where `prompt` ends.
        strength: Weight of what the photo says about content that is made up; 1 as trained.
        steps: Steps in which content is made up.
        guidance: Weight of the words; 1 as they are.
        seed: Seed of methods that draw random numbers.
        stage1: Another enhance or expand method in place of the first stage; "none" for none.
        refine_only: The same as `stage1="none"`, for a photo that another tool has repaired.
        progress: Told the finished share, 0 to 1.

    Returns:
        A photo of the same size, primaries, curve, profile and metadata, of 8 bits, or 16 where the photo has more. Its
        XMP says how it was made. A gain map, which would not fit it any more, is left out.

    Raises:
        UsageError: Unknown method or preset, or a value that is out of range or means nothing here.
        InputError: The photo is HDR already, or the mask does not fit it.
        InsufficientMemory: The photo does not fit.
        MissingDependency: Words are given, and what reads them is not installed.
        WeightsError: The weights are missing or damaged.
    """
    sampling = Sampling(steps, strength, guidance, prompt, negative_prompt)
    is_masked = not (isinstance(mask, str) and mask == "none")
    check_sampling(sampling, seed)
    stages = choose_stages(
        method,
        preset,
        weights=weights,
        refine_preset=refine_preset,
        refine_weights=refine_weights,
        stage1=None if stage1 == "none" else stage1,
        refine_only=refine_only or stage1 == "none",
        is_masked=is_masked,
    )
    if prompt or negative_prompt or caption:
        check_words(stages.second)
    captioner = read_captioner(caption) if caption else None
    report = progress or (lambda _share: None)
    picture = as_picture(photo)
    unknown = _unknown(mask, picture) if is_masked else None
    refiner = None
    if stages.second is not None and unknown is not None:
        refiner = _painter(stages.second, largest_region(unknown), _REFINED_BYTES_PER_PIXEL, seed, sampling)
    made: list[Made] = []
    done = 0.0
    if stages.first is not None:
        share = _FIRST_SHARE if refiner else 1.0
        picture, first = _mapped(photo, picture, stages.first, seed, lambda done: report(share * done))
        made, done = [first], share
    said = ""
    if refiner is not None and unknown is not None:
        if captioner and unknown.any():
            said = captioner.describe(picture)
            refiner = _told(refiner, said)
        picture = refine(picture, unknown, refiner, lambda share: report(done + (1 - done) * share))
        made.append(_made(refiner.loaded))
    origin = {**_origin(made, mask, unknown, seed), **(_told_sampling(refiner.sampling) if refiner else {})}
    if said:
        origin["caption"] = said
    return _labelled(picture, origin)


def _unknown(mask: Masking, picture: Photo) -> Mask:
    if not isinstance(mask, str):
        return drawn_unknown(mask, picture)
    if mask != "auto":
        raise UsageError(f"mask {mask!r}: give none, auto, or an array.")
    return find_unknown(picture)


def _mapped(photo: Photo, picture: Photo, stage: Stage, seed: int, progress: Progress) -> tuple[Photo, Made]:
    """Run a first stage; `picture` is the photo as integers."""
    if stage.method.verb == "expand":
        hdr = expand(photo, method=stage.method.id, preset=stage.preset, seed=seed, progress=progress)
        return well_exposed_picture(hdr, picture), {key: hdr.provenance[key] for key in _MADE}
    painter = _painter(stage, (photo.height, photo.width), _HELD_BYTES_PER_PIXEL, seed, Sampling())
    return recolour(picture, painter, progress), _made(painter.loaded)


def _painter(stage: Stage, size: tuple[int, int], held_bytes_per_pixel: int, seed: int, sampling: Sampling) -> Painter:
    """Plan the work of a stage on this height and width, and load its network."""
    capabilities = stage.method.presets[stage.preset].capabilities
    plan = make_plan(*size, capabilities, held_bytes_per_pixel=held_bytes_per_pixel)
    loaded = load_network(stage.method.id, stage.preset, stage.weights, plan.device)
    return Painter(loaded, plan, torch.Generator(plan.device).manual_seed(seed), sampling)


def _told(painter: Painter, said: str) -> Painter:
    """Add a description of the picture to the prompt."""
    prompt = ", ".join(filter(None, (painter.sampling.prompt, said)))
    return replace(painter, sampling=replace(painter.sampling, prompt=prompt))


def _made(loaded: Loaded) -> Made:
    return dict(zip(_MADE, (loaded.method.id, loaded.preset_name, loaded.weights_sha256), strict=True))


def _told_sampling(sampling: Sampling) -> dict[str, Any]:
    return provenance.unless_default(asdict(sampling), prompt="", negative_prompt="")


def _origin(made: Sequence[Made], mask: Masking, unknown: Mask | None, seed: int) -> dict[str, Any]:
    """Say what repainted a photo: the program, the networks, and how much was made up."""
    return {
        "headroom": __version__,
        **made[-1],
        **({"stages": list(made)} if len(made) > 1 else {}),
        "mask": mask if isinstance(mask, str) else "drawn",
        "made_up_share": 0.0 if unknown is None else round(float(unknown.mean()), 6),
        "seed": seed,
    }


def _labelled(picture: Photo, origin: Mapping[str, Any]) -> Photo:
    packet = picture.metadata.xmp
    before = provenance.from_xmp(packet)
    made = {**origin, "source": before} if before else origin
    xmp = provenance.into_xmp(without_directory(packet) if packet else None, made)
    return replace(picture, metadata=replace(picture.metadata, xmp=xmp))
