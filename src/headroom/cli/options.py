"""Options that mean the same to several verbs, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Photos = Annotated[list[Path], typer.Argument(metavar="INPUT", help="Photos, or folders of photos.")]
OutOfPhotos = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="PATH", help="A file for one photo (its suffix is the format), else a folder."),
]
Preset = Annotated[str | None, typer.Option(metavar="NAME", help="Size of the method; see `headroom methods`.")]
Weights = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH", help="Safetensors file, or a folder where a preset takes one, in place of what ships."
    ),
]
HdrFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT", help="ultra-hdr, avif, jxl, png, exr, hdr, pfm or tiff; the first is a folder's default."
    ),
]
Preview = Annotated[bool, typer.Option("--preview", help="Also write a tone-mapped NAME.preview.jpg.")]
Seed = Annotated[int, typer.Option(min=0, metavar="N", help="Seed of methods that draw random numbers.")]
Prompt = Annotated[str, typer.Option(metavar="TEXT", help="What the picture shows, for networks that read words.")]
Guidance = Annotated[float, typer.Option(metavar="G", help="Weight of the words; 1 as they are.")]
StripGps = Annotated[bool, typer.Option("--strip-gps", help="Leave the photo's position out of the files.")]
Force = Annotated[bool, typer.Option("--force", help="Replace outputs that exist already.")]
