"""OpenEXR by OpenImageIO: reading in a child process with limits, writing in this one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headroom.colour.strips import strips
from headroom.errors import OutputError, UnsupportedFormat
from headroom.image import SDR_WHITE_NITS, Encoding, Hdr
from headroom.io import assemble, child, chromaticities, exr_header, exr_metadata, orientation
from headroom.io.exr_header import ExrHeader
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.options import WriteOptions

_RECOVERED = "recovered"
_LARGEST_HALF = 65504.0
_PIXEL_BYTES = 48  # the floats, and the lines that they are converted from


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the header of the first part says."""
    return _facts(path, content, exr_header.parse(path, content))


def read(path: Path, content: bytes) -> Hdr:
    """Return the data window of the first part in RGB or from luminance alone, with its `recovered` channel if any.

    Primaries other than the known ones are converted to wider ones. The values stay as they are, whatever white
    luminance the file states: scaling by it would undo the exposure that its maker chose.

    Raises:
        UnsupportedFormat: Deep data, or channels that are neither RGB nor a plain Y.
        CorruptFile: Damaged, or the decoder crashed on it or took too long.
    """
    header = exr_header.parse(path, content)
    facts = _facts(path, content, header)
    names = _colour_channels(path, header)
    extra = [_RECOVERED] if _RECOVERED in header.channels else []
    size = header.width, header.height
    layers = child.decode(path, content, "exr", *size, *names, *extra, title="OpenEXR", pixel_bytes=_PIXEL_BYTES).raster
    stored = np.ascontiguousarray(layers[..., : len(names)])
    stored = chromaticities.to_known(stored, header.chromaticities) if len(names) == 3 else stored
    mask = np.clip(np.nan_to_num(layers[..., -1]), 0, 1) if extra else None
    recovered = None if mask is None else orientation.apply(mask, facts.orientation)
    left_out = tuple(name for name in header.channels if name not in {*names, _RECOVERED})
    return assemble.scene(path, facts, stored, recovered=recovered, left_out=left_out)


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write RGB, ZIP-compressed, with chromaticities, white luminance, the main facts of EXIF, XMP and provenance.

    Raises:
        OutputError: The library cannot write it.
    """
    import OpenImageIO

    with_mask = options.recovered and hdr.recovered is not None
    kind = np.dtype(np.float16 if options.half else np.float32)
    spec = OpenImageIO.ImageSpec(hdr.width, hdr.height, 4 if with_mask else 3, "half" if options.half else "float")
    spec.channelnames = ("R", "G", "B", _RECOVERED)[: spec.nchannels]
    spec.attribute("compression", "zip")
    spec.attribute("Software", "Headroom")
    spec.attribute("chromaticities", "float[8]", chromaticities.flat(hdr.primaries))
    spec.attribute("whiteLuminance", SDR_WHITE_NITS)
    for name, fact in exr_metadata.to_attributes(hdr.metadata).items():
        spec.attribute(name, fact)
    for name, value in hdr.provenance.items():
        spec.attribute(f"headroom:{name}", value if isinstance(value, str) else json.dumps(value))
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        raise OutputError(f"{path!r}: OpenEXR files need a name in UTF-8. Choose another name.") from error
    output = OpenImageIO.ImageOutput.create("any.exr")
    if output is None:
        raise OutputError(f"{path}: this OpenImageIO writes no OpenEXR. Install the openimageio package from PyPI.")
    written = output.open(os.fspath(path), spec) and all(
        output.write_scanlines(rows.start, rows.stop, 0, _layers(hdr, rows, kind, with_mask=with_mask))
        for rows in strips(hdr.pixels.shape, multiple=16)  # ZIP compresses 16 lines at a time
    )
    if not (written and output.close()):
        raise OutputError(f"{path}: cannot be written ({output.geterror()}). Check the folder and its free space.")


def _layers(hdr: Hdr, rows: slice, kind: np.dtype[Any], *, with_mask: bool) -> NDArray[Any]:
    pixels = hdr.pixels[rows]
    if kind == np.float16:
        pixels = np.minimum(pixels, _LARGEST_HALF)
    if with_mask and hdr.recovered is not None:
        pixels = np.concatenate([pixels, hdr.recovered[rows, :, None]], axis=2)
    return np.ascontiguousarray(pixels, kind)


def _facts(path: Path, content: bytes, header: ExrHeader) -> FileFacts:
    return stored_facts(
        path,
        container="exr",
        kind="hdr",
        size=(header.width, header.height),
        bit_depth=max((channel.bits for channel in header.channels.values()), default=0),
        encoding=Encoding(chromaticities.in_memory(header.chromaticities), "linear"),
        metadata=header.metadata,
        file_bytes=len(content),
        provenance=header.provenance,
        turn=header.orientation,
    )


def _colour_channels(path: Path, header: ExrHeader) -> list[str]:
    """Return the names of R, G and B, else of those of the first layer that has all three, else of Y."""
    prefixes = ["", *dict.fromkeys(name.rpartition(".")[0] + "." for name in header.channels if "." in name)]
    candidates = [[prefix + colour for colour in "RGB"] for prefix in prefixes] + [["Y"]]
    is_subsampled_colour = {"RY", "BY"} & header.channels.keys()
    for names in candidates:
        is_there = all(name in header.channels and header.channels[name].sampling == (1, 1) for name in names)
        if is_there and not (names == ["Y"] and is_subsampled_colour):
            return names
    listed = ", ".join(header.channels)[:200] or "none"
    raise UnsupportedFormat(f"{path}: OpenEXR with the channels {listed} is not read. Convert it to R, G, B first.")
