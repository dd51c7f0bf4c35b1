"""`headroom enhance`: badly exposed photos in, good ones out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from headroom.cli.console import say
from headroom.cli.options import Force, Guidance, OutOfPhotos, Photos, Preset, Prompt, Seed, StripGps, Weights
from headroom.methods import ENHANCES_BY_DEFAULT

if TYPE_CHECKING:
    from headroom.cli.jobs import Job
    from headroom.image import Photo
    from headroom.methods.contract import Progress
    from headroom.restore.enhance import Masking


def enhance(
    inputs: Photos,
    out: OutOfPhotos,
    mask: Annotated[
        str,
        typer.Option(
            metavar="auto|none|FILE",
            help="Where content is made up: what shows nothing, or what a picture has white.",
        ),
    ] = "none",
    prompt: Prompt = "",
    negative_prompt: Annotated[
        str, typer.Option(metavar="TEXT", help="What it does not show; acts where --guidance is not 1.")
    ] = "",
    caption: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Local image-to-text model whose description is added to the prompt."),
    ] = None,
    strength: Annotated[
        float, typer.Option(metavar="S", help="Weight of the photo in what is made up; 1 as trained.")
    ] = 1.0,
    steps: Annotated[int, typer.Option(metavar="N", help="Steps in which content is made up.")] = 30,
    guidance: Guidance = 1.0,
    seed: Seed = 0,
    stage1: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="Another enhance or expand method for brightness and colours, or none."),
    ] = None,
    refine_only: Annotated[
        bool, typer.Option("--refine-only", help="Only make content up, in what another tool has repaired.")
    ] = False,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What repairs the photo; see `headroom methods`.")
    ] = ENHANCES_BY_DEFAULT,
    preset: Preset = None,
    weights: Weights = None,
    refine_preset: Annotated[
        str | None, typer.Option(metavar="NAME", help="Size of what makes content up, beside --preset.")
    ] = None,
    refine_weights: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Weights of what makes content up, beside --weights.")
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None, typer.Option(metavar="FORMAT", help="jpeg, png, webp or tiff; each photo's own in a folder.")
    ] = None,
    strip_gps: StripGps = False,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per photo.")] = False,
) -> None:
    """Repair badly exposed photos: brightness, colours, and what shows nothing.

    The one verb that repaints what the camera measured; each file says so. Size, depth, profile and metadata stay.
    Content is made up only where --mask says so.

    Paths of finished files go to stdout. An existing file is never replaced without --force: it is an error for one
    photo, and skipped in a folder. A photo that cannot be used costs one line on stderr.
    """
    import headroom
    from headroom.cli.batch import run
    from headroom.cli.jobs import plan_photos

    jobs = plan_photos(inputs, out, format_name=format)
    repair = partial(
        headroom.enhance,
        method=method,
        preset=preset,
        weights=weights,
        refine_preset=refine_preset,
        refine_weights=refine_weights,
        mask=_masking(mask),
        prompt=prompt,
        negative_prompt=negative_prompt,
        caption=caption,
        strength=strength,
        steps=steps,
        guidance=guidance,
        seed=seed,
        stage1=stage1,
        refine_only=refine_only,
    )
    run(jobs, partial(_enhance_one, repair=repair, strip_gps=strip_gps), force=force, json=json)


def _masking(mask: str) -> Masking:
    """Read the picture that `--mask` names."""
    if mask in {"none", "auto"}:
        return cast("Masking", mask)
    from headroom import read_photo
    from headroom.io.sdr import with_depth

    return with_depth(read_photo(mask), 8).codes


def _enhance_one(job: Job, progress: Progress, repair: Callable[..., Photo], *, strip_gps: bool) -> dict[str, Any]:
    """Enhance one photo and write it."""
    from headroom import read_photo, write_photo
    from headroom.files import make_folder
    from headroom.io import provenance
    from headroom.io.gps import without_gps
    from headroom.io.sdr import fitting_depth

    make_folder(job.target.parent)
    photo = read_photo(job.source)
    enhanced = repair(without_gps(photo) if strip_gps else photo, progress=progress)
    made = provenance.from_xmp(enhanced.metadata.xmp)
    if made.get("caption"):
        say(f"{job.source}: shows {made['caption']}")
    written = fitting_depth(enhanced, job.target)
    warnings = [*_losses(photo, enhanced, written), *write_photo(written, job.target)]
    if made.get("mask") == "auto" and not made["made_up_share"]:
        warnings.append("nothing is blown or crushed, so nothing is made up")
    for warning in warnings:
        say(f"warning: {job.source}: {warning}")
    return {"bit_depth": written.bit_depth, **made, "warnings": warnings}


def _losses(photo: Photo, enhanced: Photo, written: Photo) -> Iterator[str]:
    """Say what of a photo its file does not hold any more."""
    from headroom.io.unread import unread

    yield from unread(photo)
    if photo.gain_map is not None:
        yield "its gain map, which was made for the photo as it was, is left out"
    if written.bit_depth < enhanced.bit_depth:
        yield f"{enhanced.bit_depth} bits became {written.bit_depth}, all that this format holds; PNG and TIFF hold 16"
