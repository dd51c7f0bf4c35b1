"""`headroom convert`: one image file into another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from headroom.cli.console import say, show_json
from headroom.errors import UsageError

if TYPE_CHECKING:
    from headroom.colour.tone_mapping import ToneMap
    from headroom.image import Primaries
    from headroom.io.convert import Conversion


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A photo or an HDR file.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; its suffix is the format.")],
    exposure: Annotated[float, typer.Option(metavar="EV", help="Brighten the picture by this many stops.")] = 0.0,
    tone_map: Annotated[
        str | None,
        typer.Option(metavar="OPERATOR", help="Write an SDR photo: none, filmic, reinhard or extended-reinhard."),
    ] = None,
    primaries: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="bt709, p3, bt2020, adobe-rgb or prophoto; those of IN by default."),
    ] = None,
    bit_depth: Annotated[
        int | None, typer.Option(metavar="BITS", help="Bits of a channel, such as 16 or 32 for OpenEXR.")
    ] = None,
    strip_gps: Annotated[bool, typer.Option("--strip-gps", help="Leave the photo's position out of the file.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it exists already.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Turn a photo or HDR file into another format.

    Nothing is filled in. HDR stays HDR where OUT can hold it; where it cannot, or with --tone-map, it becomes an SDR
    photo. A photo stays a photo; in a format that holds only HDR it is plain linear light, with its clipped pixels
    clipped. A gain map that a photo brings is applied.

    The path of the finished file goes to stdout.
    """
    from headroom.io.convert import convert as run

    if target.is_dir():
        raise UsageError(f"{target}: is a folder. Give OUT the name of a file.")
    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError(f"{target}: is the input and would be replaced. Give another OUT.")
    if target.exists() and not force:
        raise UsageError(f"{target}: exists already. Add --force to replace it.")
    result = run(
        source,
        target,
        exposure_ev=exposure,
        tone_map=cast("ToneMap | None", tone_map),
        primaries=cast("Primaries | None", primaries),
        bit_depth=bit_depth,
        strip_gps=strip_gps,
    )
    for note in result.notes:
        say(f"{source}: {note}")
    if json:
        show_json(_record(source, target, result))
    else:
        print(target)


def _record(source: Path, target: Path, result: Conversion) -> dict[str, Any]:
    from headroom.cli.report import light_facts
    from headroom.image import Hdr

    image = result.image
    if isinstance(image, Hdr):
        facts = {"kind": "hdr", "primaries": image.primaries, **light_facts(image.pixels)}
    else:
        facts = {"kind": "photo", "primaries": image.encoding.primaries, "bit_depth": image.bit_depth}
    return {
        "status": "done",
        "input": str(source),
        "outputs": [str(target)],
        "container": result.container,
        "width": image.width,
        "height": image.height,
        **facts,
        "notes": list(result.notes),
    }
