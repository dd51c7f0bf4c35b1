"""`headroom generate`: pictures that nobody took."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.options import Force, Guidance, Preset, Prompt, Weights
from headroom.errors import UsageError
from headroom.methods import GENERATES_BY_DEFAULT

if TYPE_CHECKING:
    from headroom.cli.jobs import Drawing
    from headroom.image import Hdr, Photo
    from headroom.methods.contract import Progress


def generate(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="PATH", help="The file; its suffix is the format. Of many, NAME-SEED."),
    ],
    prompt: Prompt = "",
    negative_prompt: Annotated[str, typer.Option(metavar="TEXT", help="What it does not show.")] = "",
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="In pixels; 512x512, or 1024x512 with --panorama.")
    ] = None,
    panorama: Annotated[
        bool, typer.Option("--panorama", help="An equirectangular panorama, whose left and right edges meet.")
    ] = False,
    steps: Annotated[int, typer.Option(metavar="N", help="Steps in which it is drawn.")] = 30,
    guidance: Guidance = 7.5,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="The same number draws the same picture.")] = 0,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Pictures, each by the next seed.")] = 1,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What draws; see `headroom methods`.")
    ] = GENERATES_BY_DEFAULT,
    preset: Preset = None,
    weights: Weights = None,
    prior: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Stable Diffusion that draws, for presets that grew from one."),
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(
            metavar="FORMAT", help="By the suffix when not given; see expand for HDR images and enhance for others."
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also write a tone-mapped NAME.preview.jpg of an HDR image.")
    ] = False,
    force: Force = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per picture.")] = False,
) -> None:
    """Draw pictures from noise; each file says that it was made so. Methods that make light draw HDR images.

    Paths of finished files go to stdout. An existing file is never replaced without --force: it is an error for one
    picture, and skipped for many, so that an interrupted call goes on where it stopped.
    """
    import headroom
    from headroom.cli.batch import run
    from headroom.cli.jobs import plan_drawings
    from headroom.methods import load

    draw = partial(
        headroom.generate,
        method=method,
        preset=preset,
        weights=weights,
        prior=prior,
        prompt=prompt,
        negative_prompt=negative_prompt,
        size_px=_size(size),
        panorama=panorama,
        steps=steps,
        guidance=guidance,
    )
    seeds, is_hdr = range(seed, seed + count), load(method, "generate").light_of is not None
    jobs = plan_drawings(out, seeds, format_name=format, is_hdr=is_hdr, preview=preview)
    run(jobs, partial(_generate_one, draw=draw, format_name=format), force=force, json=json)


def _size(text: str | None) -> tuple[int, int] | None:
    """Read width and height."""
    if text is None:
        return None
    if not (sides := re.fullmatch(r"(\d{1,6})x(\d{1,6})", text)):
        raise UsageError(f"--size {text}: is no width and height. Give them in pixels, such as 1024x512.")
    return int(sides[1]), int(sides[2])


def _generate_one(
    job: Drawing, progress: Progress, draw: Callable[..., Hdr | Photo], format_name: str | None
) -> dict[str, Any]:
    """Draw one picture and write its files, the main one last, so that its presence means that all is done."""
    from headroom import Photo, write_hdr, write_photo, write_preview
    from headroom.cli.report import light_facts
    from headroom.files import make_folder
    from headroom.io import provenance

    make_folder(job.target.parent)
    picture = draw(seed=job.seed, progress=progress)
    size = {"width": picture.width, "height": picture.height}
    if isinstance(picture, Photo):
        warnings = write_photo(picture, job.target, format=format_name)
        return {**size, **provenance.from_xmp(picture.metadata.xmp), "warnings": warnings}
    if job.preview:
        write_preview(picture, job.preview)
    warnings = write_hdr(picture, job.target, format=format_name)
    return {**size, **light_facts(picture.pixels), **picture.provenance, "warnings": warnings}
