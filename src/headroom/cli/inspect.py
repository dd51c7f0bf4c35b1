"""`headroom inspect`: what an image file holds, in numbers and in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headroom.cli.console import say, show_json, show_table
from headroom.errors import UsageError

if TYPE_CHECKING:
    from headroom.image import FloatImage, Hdr, Photo


def inspect(
    file: Annotated[Path, typer.Argument(help="A photo or an HDR file.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    proof: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Write one picture of exposure slices and the mask.")
    ] = None,
) -> None:
    """Show what a photo or HDR file holds.

    Size, depth, curve, clipped share, stops and headroom. The proof shows the picture at falling exposures, what would
    be left of the darkest one without values above SDR white, and which pixels are clipped or were filled in.
    """
    from headroom.cli.report import clipped_facts, file_facts, gain_map_facts, light_facts, recovered_facts
    from headroom.image import Photo
    from headroom.io import describe, read, read_photo

    if proof:
        _check_proof(proof, file)
    facts = describe(file)
    # As a photo, camera RAW knows its clipped pixels.
    image = read_photo(file) if facts.container == "raw" else read(file)
    linear = _linear(image)
    record = {
        "file": str(file),
        **file_facts(facts),
        **light_facts(linear),
        **(
            clipped_facts(image) | gain_map_facts(image)
            if isinstance(image, Photo)
            else recovered_facts(image) | {"repaired_values": image.repaired_values}
        ),
    }
    if json:
        show_json(record)
    else:
        show_table(_lines(record))
    if proof:
        _write_proof(proof, file, image, linear)
        say(f"proof: {proof}")


def _linear(image: Photo | Hdr) -> FloatImage:
    from headroom.colour.transfer import decode_codes
    from headroom.image import Photo

    return decode_codes(image.codes, image.encoding, image.bit_depth) if isinstance(image, Photo) else image.pixels


def _lines(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say a record in words."""
    lines = [
        ("file", record["file"]),
        ("format", f"{record['container']}, {record['bit_depth']} bit, {record['file_bytes'] / 1e6:.2f} MB"),
        ("size", f"{record['width']} x {record['height']} px"),
        ("curve", f"{record['curve']} ({'known' if record['curve_known'] else 'assumed'}), {record['primaries']}"),
    ]
    if "clipped_share" in record:
        red, green, blue = record["clipped_share_rgb"]
        lines.append(("clipped", f"{record['clipped_share']:.2%} (R {red:.2%}, G {green:.2%}, B {blue:.2%})"))
    elif record["recovered_share"] is not None:
        lines.append(("recovered", f"{record['recovered_share']:.2%}"))
    if record.get("repaired_values"):
        lines.append(("repaired", f"{record['repaired_values']} values that are NaN, infinite or below 0"))
    if record["headroom_stops"] is not None:
        lines.append(("range", f"{record['range_stops']:.1f} stops"))
        lines.append(("headroom", f"{record['headroom_stops']:.2f} stops above SDR white"))
    if record["light_levels"]:
        lines.append(("stated light", _stated_light(record["light_levels"])))
    if record.get("gain_map_headroom_stops") is not None:
        stops = f"up to {record['gain_map_headroom_stops']:.2f} stops above SDR white"
        lines.append(("gain map", f"{record['gain_map']}, {stops}"))
    if record.get("gain_map_problem"):
        lines.append(("gain map", f"unreadable: {record['gain_map_problem']}"))
    lines.append(("metadata", ", ".join(record["metadata"]) or "none"))
    return lines + _history(record["provenance"])


def _history(made: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say how a file was made, and how the file that it was converted from."""
    lines, label = [], "made by"
    while isinstance(made, Mapping) and made:
        facts = ((name, _in_words(value)) for name, value in made.items() if name != "source")
        lines.append((label, ", ".join(f"{name} {words}" for name, words in facts if words)))
        made, label = made.get("source", {}), "made from"
    return lines


def _in_words(value: object) -> str:
    """Say a value of JSON; nothing of what is empty."""
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_in_words(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(map(_in_words, value))
    return "" if value is None else str(value)


def _stated_light(levels: Mapping[str, Any]) -> str:
    """Say the light levels of a file in words."""
    names = {"max_cll_nits": "MaxCLL", "max_fall_nits": "MaxFALL", "intensity_target_nits": "intensity target"}
    words = [f"{names[name]} {value:g}" for name, value in levels.items() if name in names]
    if "mastering_nits" in levels:
        darkest, brightest = levels["mastering_nits"]
        words.append(f"mastered on {darkest:g} to {brightest:g}")
    return f"{', '.join(words)} cd/m2"


def _check_proof(proof: Path, file: Path) -> None:
    if proof.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise UsageError(f"{proof}: a proof is a .png or .jpg file. Change --proof.")
    if proof.resolve() == file.resolve():
        raise UsageError(f"{proof}: is the input and would be replaced. Give another --proof.")


def _write_proof(proof: Path, file: Path, image: Photo | Hdr, linear: FloatImage) -> None:
    import numpy as np

    from headroom.cli.proof import write_proof
    from headroom.colour.primaries import convert
    from headroom.image import Photo
    from headroom.restore.clipping import clipped_codes

    if isinstance(image, Photo):
        primaries, mark = image.encoding.primaries, "clipped"
        marked: FloatImage | None = np.asarray(clipped_codes(image).any(axis=-1), np.float32)
    else:
        primaries, marked, mark = image.primaries, image.recovered, "recovered"
    title = f"{file.name}   {image.width} x {image.height}"
    write_proof(proof, title, convert(linear, primaries, "bt709"), marked, mark)
