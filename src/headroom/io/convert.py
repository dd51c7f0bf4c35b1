"""From any file that is read to any file that is written, without filling anything in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from headroom._version import __version__
from headroom.colour import primaries as rgb
from headroom.colour import transfer
from headroom.colour.gain_map import apply_to_rows
from headroom.colour.strips import strips
from headroom.colour.tone_mapping import ToneMap
from headroom.errors import UsageError
from headroom.image import Hdr, Photo, Primaries
from headroom.io import provenance, sdr
from headroom.io.convert_target import target_formats
from headroom.io.formats import ContainerFormat
from headroom.io.gps import without_gps
from headroom.io.options import WriteOptions
from headroom.io.reading import describe, read
from headroom.io.rendering import exposed, render
from headroom.io.unread import unread
from headroom.io.unrounded import unrounded
from headroom.io.writing import write_hdr, write_photo

_LARGEST_EXPOSURE_EV = 32.0
_RENDITION = "tone-mapped to an SDR photo by the filmic curve, since this format holds no HDR"
_BASE_ALONE = "written as an SDR photo without its gain map, since this format holds no HDR"
_PLAIN_LIGHT = "written as plain linear light, what is clipped stays clipped; `headroom expand` would fill it in"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What `convert` wrote.

    Attributes:
        container: Name of the format.
        image: The picture.
        notes: What to know about it, in sentences.
    """

    container: str
    image: Photo | Hdr
    notes: tuple[str, ...] = ()


def convert(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    exposure_ev: float = 0.0,
    tone_map: ToneMap | None = None,
    primaries: Primaries | None = None,
    bit_depth: int | None = None,
    strip_gps: bool = False,
) -> Conversion:
    """Convert an image file to the format that the target's suffix names.

    HDR stays HDR where that format can hold it, and an SDR photo stays a photo. A tone curve, or a depth that only
    photos have, makes a photo of an HDR image. A photo that has to go into an HDR container does so as plain linear
    light: what is clipped stays clipped. A photo with a gain map is HDR, and is its own rendition in SDR; from JPEG to
    JPEG both stay as they are. A JPEG photo that nothing changes is copied byte for byte; every other file says how it
    was made.

    Args:
        source: A file of any kind that is read.
        target: The file to write; its folder must exist.
        exposure_ev: Stops by which the picture is brightened, -32 to 32.
        tone_map: Tone curve of a photo; by default "filmic" for HDR images and "none", which clips, for photos.
        primaries: RGB primaries of the result, by default those of the source.
        bit_depth: Bits of a channel, by default what suits the format.
        strip_gps: True to leave the position out of the file's metadata.

    Raises:
        UsageError: The suffix names no format, or an option does not fit it.
        InputError: The source cannot be used.
        OutputError: The target cannot be written; an older file there is untouched.
    """
    _check_choice("tone curve", tone_map, get_args(ToneMap))
    _check_choice("primaries", primaries, get_args(Primaries))
    if not abs(exposure_ev) <= _LARGEST_EXPOSURE_EV:
        raise UsageError(
            f"exposure {exposure_ev} EV: give a value from -{_LARGEST_EXPOSURE_EV:g} to {_LARGEST_EXPOSURE_EV:g}."
        )
    path = Path(target)
    formats = target_formats(path, bit_depth)
    if tone_map is not None and "photo" not in formats:
        raise UsageError(f"{path}: {formats['hdr'].title} holds HDR, which needs no tone curve. Leave it out.")
    image = without_gps(read(source)) if strip_gps else read(source)
    if "hdr" not in formats or ("photo" in formats and (tone_map is not None or not _is_hdr(image))):
        container = formats["photo"]
        depth = _photo_depth(image, container, bit_depth)
        photo = _as_photo(image, exposure_ev, tone_map, primaries, depth)
        made = _provenance(image, exposure_ev, _operator(image, tone_map), photo.encoding.primaries)
        photo = _labelled(sdr.with_depth(photo, depth), made)
        notes = write_photo(photo, path, format=container.name)
        return Conversion(container.name, photo, _changes(image, "photo", tone_map) + notes)
    container = formats["hdr"]
    hdr = _changed(as_hdr(image), exposure_ev, primaries)
    hdr = replace(hdr, provenance=_provenance(image, exposure_ev, None, hdr.primaries))
    notes = write_hdr(hdr, path, format=container.name, options=_options(source, container, bit_depth))
    return Conversion(container.name, hdr, _changes(image, "hdr", tone_map) + notes)


def as_hdr(image: Photo | Hdr) -> Hdr:
    """Return linear light: that of an HDR image, of a photo with its own gain map applied, or of any other photo."""
    if isinstance(image, Hdr):
        return image
    base = image if image.gain_map is None else unrounded(image)
    pixels = transfer.decode_codes(base.codes, base.encoding, base.bit_depth)
    if image.gain_map is not None:
        for rows in strips(pixels.shape):
            pixels[rows] = apply_to_rows(pixels[rows], image.gain_map, rows, pixels.shape)
    return Hdr(pixels, image.encoding.primaries, photo=image, metadata=image.metadata, source=image.source)


def _check_choice(what: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise UsageError(f"{what} {value}: there is none of this name. Choose one of {', '.join(choices)}.")


def _options(source: str | os.PathLike[str], container: ContainerFormat, bit_depth: int | None) -> WriteOptions:
    """Return how to write HDR in this depth; OpenEXR by default in the floats of the source."""
    match container.name:
        case "exr":
            return WriteOptions(half=(bit_depth or describe(source).bit_depth) != 32)
        case "avif" if bit_depth is not None:
            return WriteOptions(bit_depth=10 if bit_depth == 10 else 12)
    return WriteOptions(keep_gain_map=True)  # a photo whose light was changed is no longer behind it


def _changes(image: Photo | Hdr, kind: Literal["hdr", "photo"], tone_map: ToneMap | None) -> tuple[str, ...]:
    """Return what nobody asked for and became of an image on its way from file to file, in sentences."""
    notes = []
    if isinstance(image, Hdr) and image.repaired_values:
        notes.append(f"{image.repaired_values} values that are no light (NaN, infinite or below 0) were replaced")
    notes += unread(image)
    if kind == "hdr" and not _is_hdr(image):
        notes.append(_PLAIN_LIGHT)
    if kind == "photo" and _is_hdr(image) and tone_map is None:
        notes.append(_RENDITION if isinstance(image, Hdr) else _BASE_ALONE)
    return tuple(notes)


def _is_hdr(image: Photo | Hdr) -> bool:
    return isinstance(image, Hdr) or image.gain_map is not None


def _operator(image: Photo | Hdr, tone_map: ToneMap | None) -> ToneMap:
    """Return the tone curve that makes a photo of an image."""
    return tone_map or ("filmic" if isinstance(image, Hdr) else "none")


def _photo_depth(image: Photo | Hdr, container: ContainerFormat, bit_depth: int | None) -> Literal[8, 16]:
    """Return the depth of a photo that is written: what was asked for, else that of the image where it fits."""
    own = 16 if isinstance(image, Hdr) or image.bit_depth > 8 else 8
    return 8 if (bit_depth or min(own, max(sdr.DEPTHS[container.name]))) == 8 else 16


def _as_photo(
    image: Photo | Hdr,
    exposure_ev: float,
    tone_map: ToneMap | None,
    primaries: Primaries | None,
    bit_depth: Literal[8, 16],
) -> Photo:
    """Return a photo with its own codes where nothing changes them, else a rendition of its light."""
    if isinstance(image, Photo) and tone_map is None:
        named = image.encoding.transfer is not None or image.metadata.icc is not None
        if named and not exposure_ev and primaries in {None, image.encoding.primaries}:
            return image
        image = replace(image, gain_map=None)
    hdr = as_hdr(image)
    return render(
        hdr,
        operator=_operator(image, tone_map),
        primaries=primaries or hdr.primaries,
        exposure_ev=exposure_ev,
        bit_depth=bit_depth,
    )


def _provenance(
    image: Photo | Hdr, exposure_ev: float, tone_map: ToneMap | None, primaries: Primaries
) -> dict[str, Any]:
    """Say what is done to an image, and what its own file says about how it was made."""
    options = {"exposure_ev": exposure_ev, "tone_map": tone_map, "primaries": primaries}
    made: dict[str, Any] = {"headroom": __version__, "method": "convert", **options}
    if isinstance(image, Hdr):
        before = image.provenance
    else:
        made |= {"curve": image.encoding.transfer or "table", "curve_known": image.encoding.known}
        before = provenance.from_xmp(image.metadata.xmp)
    return {**made, "source": dict(before)} if before else made


def _labelled(photo: Photo, made: Mapping[str, Any]) -> Photo:
    return replace(photo, metadata=replace(photo.metadata, xmp=provenance.into_xmp(photo.metadata.xmp, made)))


def _changed(hdr: Hdr, exposure_ev: float, primaries: Primaries | None) -> Hdr:
    """Return other light, in the same array; the photo behind it, which is not changed with it, goes."""
    target = primaries or hdr.primaries
    if not exposure_ev and target == hdr.primaries:
        return hdr
    for rows in strips(hdr.pixels.shape):
        light = exposed(hdr.pixels[rows], exposure_ev)
        np.maximum(rgb.convert(light, hdr.primaries, target), 0, out=hdr.pixels[rows])
    return replace(hdr, primaries=target, photo=None)
