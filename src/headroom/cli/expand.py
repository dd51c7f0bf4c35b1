"""`headroom expand`: photos in, HDR files out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from headroom.cli.options import Force, HdrFormat, OutOfPhotos, Photos, Preset, Preview, Seed, StripGps, Weights
from headroom.cli.video import check_smoothing, expand_video


def expand(
    inputs: Photos,
    out: OutOfPhotos,
    method: Annotated[
        str, typer.Option(metavar="NAME", help="What fills in the clipped pixels; see `headroom methods`.")
    ] = "hybrid_ae",
    preset: Preset = None,
    weights: Weights = None,
    format: HdrFormat = None,  # noqa: A002 - the option's name
    max_headroom: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="STOPS", help="Brightest filled-in pixel, in stops above SDR white."),
    ] = None,
    exposure: Annotated[float, typer.Option(metavar="EV", help="Brighten the whole result by this many stops.")] = 0.0,
    preview: Preview = False,
    seed: Seed = 0,
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
        float | None,
        typer.Option(
            metavar="S", help="With --video: share of the frame before in what is filled in, 0 to 0.98; usually 0.8."
        ),
    ] = None,
    strip_gps: StripGps = False,
    force: Force = False,
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

    check_smoothing(smoothing, video=video)
    jobs = plan(inputs, out, format_name=format, preview=preview)
    settings = Settings(
        method, preset, weights, max_headroom, exposure, seed, ignore_gain_map, panorama, strip_gps, format
    )
    if video:
        expand_video(jobs, settings, smoothing, force=force, json=json)
    else:
        run(jobs, partial(expand_one, settings=settings), force=force, json=json)
