"""`headroom expand`: photos in, HDR files out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from headroom.cli.video import expand_video


def expand(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="PATH", help="A file for one photo (its suffix is the format), else a folder."
        ),
    ],
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What fills in the clipped pixels; see `headroom methods`.")
    ] = "hybrid_ae",
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Size of the method.")] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Safetensors file in place of the weights that ship.")
    ] = None,
    format: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(metavar="FORMAT", help="ultra-hdr, exr, hdr, pfm or tiff; the first is a folder's default."),
    ] = None,
    max_headroom: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="STOPS", help="Brightest filled-in pixel, in stops above SDR white."),
    ] = None,
    exposure: Annotated[float, typer.Option(metavar="EV", help="Brighten the whole result by this many stops.")] = 0.0,
    preview: Annotated[bool, typer.Option("--preview", help="Also write a tone-mapped NAME.preview.jpg.")] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of methods that draw random numbers.")] = 0,
    ignore_gain_map: Annotated[
        bool, typer.Option("--ignore-gain-map", help="Have the method fill in what a photo's own gain map knows.")
    ] = False,
    panorama: Annotated[
        bool, typer.Option("--panorama", help="Equirectangular photos, whose left and right edges meet.")
    ] = False,
    video: Annotated[
        bool, typer.Option("--video", help="The photos are the frames of one video, in the order of their names.")
    ] = False,
    smoothing: Annotated[
        float, typer.Option(metavar="S", help="With --video: share of the frame before in what is filled in, below 1.")
    ] = 0.8,
    strip_gps: Annotated[
        bool, typer.Option("--strip-gps", help="Leave the photo's position out of the files.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace outputs that exist already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per photo.")] = False,
) -> None:
    """Turn photos into HDR files.

    Measured pixels stay as they are; clipped ones are filled in. A photo that brings a gain map was measured beyond
    white: its own map comes first.

    Paths of finished files go to stdout. An existing file is never replaced without --force: it is an error for one
    photo, and skipped in a folder, so that an interrupted batch goes on where it stopped. A photo that cannot be used
    costs one line on stderr; the others are done and the exit code is 1.
    """
    from headroom.cli.batch import Settings, expand_one, run
    from headroom.cli.jobs import plan

    jobs = plan(inputs, out, format_name=format, preview=preview)
    settings = Settings(
        method, preset, weights, max_headroom, exposure, seed, ignore_gain_map, panorama, strip_gps, format
    )
    if video:
        expand_video(jobs, settings, smoothing, force=force, json=json)
    else:
        run(jobs, partial(expand_one, settings=settings), force=force, json=json)
