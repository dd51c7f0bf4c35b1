"""The last step of every reader: upright, three channels, clean values, one record."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from headroom.colour import transfer
from headroom.colour.strips import strips
from headroom.errors import CorruptFile, InputError
from headroom.image import FloatImage, GainMap, Hdr, Metadata, Photo
from headroom.io import exif, orientation, profile
from headroom.io.facts import FileFacts
from headroom.io.unread import alpha_of

_XMP_TURN = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>))[2-8]""")


def photo(
    path: Path,
    facts: FileFacts,
    stored: NDArray[Any],
    *,
    original: bytes | None = None,
    left_out: tuple[str, ...] = (),
) -> Photo:
    """Return the photo of a stored raster.

    Args:
        path: The file.
        facts: What its header said.
        stored: H x W or H x W x 1 to 4 codes; grey is repeated and alpha is dropped, not composited: what lies under
            it was photographed too.
        original: The file's bytes, for JPEG.
        left_out: What the reader left out of the file; an alpha channel that is not opaque is added.
    """
    codes, bit_depth, lossy_step = _turned(path, facts, _rgb(stored)), facts.bit_depth, facts.lossy_step
    metadata = facts.metadata
    if metadata.icc is not None and profile.needs_conversion(metadata):
        if bit_depth in {10, 12}:  # which colour engines do not know
            codes, bit_depth, lossy_step = _in_16_bits(codes, bit_depth), 16, lossy_step * 2 ** (16 - bit_depth)
        converted = profile.to_srgb(codes, metadata.icc)
        codes = codes if converted is None else converted
        metadata = dataclasses.replace(metadata, icc=None)
    return Photo(
        codes=codes,
        bit_depth=bit_depth,
        encoding=facts.encoding,
        lossy_step=lossy_step,
        metadata=_upright(metadata),
        source=path,
        container=facts.container,
        original=original,
        orientation=facts.orientation,
        left_out=(*alpha_of(stored, facts.bit_depth), *left_out),
    )


def with_gain_map(photo: Photo, read: Callable[[], GainMap | None]) -> Photo:
    """Return the photo with the gain map that `read` gives in the stored raster's orientation.

    A photo is whole without its map, so one that cannot be used is not raised but noted.
    """
    try:
        stored = read()
    except InputError as error:
        return dataclasses.replace(photo, gain_map_problem=str(error))
    if stored is None:
        return photo
    codes = orientation.apply(stored.codes, photo.orientation)
    upright = dataclasses.replace(stored, codes=codes, base_primaries=photo.encoding.primaries)
    return dataclasses.replace(photo, gain_map=upright)


def blocks_of(image: ImageFile) -> Metadata:
    """Return the metadata blocks that Pillow found in a JPEG or WebP file."""
    block = image.info.get("exif")
    return Metadata(
        exif=block.removeprefix(b"Exif\0\0") if block else None,
        xmp=image.info.get("xmp"),
        icc=image.info.get("icc_profile"),
    )


def picture(path: Path, facts: FileFacts, stored: NDArray[Any], *, left_out: tuple[str, ...] = ()) -> Photo | Hdr:
    """Return the photo, or the HDR image of linear floats or of codes whose curve says how bright they are."""
    if facts.kind == "photo":
        return photo(path, facts, stored, left_out=left_out)
    if facts.encoding.transfer == "linear":
        return scene(path, facts, stored, left_out=left_out)
    light = transfer.decode_codes(_rgb(stored), facts.encoding, facts.bit_depth)
    return scene(path, facts, light, left_out=(*alpha_of(stored, facts.bit_depth), *left_out))


def scene(
    path: Path,
    facts: FileFacts,
    stored: NDArray[Any],
    *,
    recovered: FloatImage | None = None,
    left_out: tuple[str, ...] = (),
) -> Hdr:
    """Return the HDR image of a stored float raster, H x W or H x W x 1 to 4; finite and not below 0 afterwards."""
    pixels, repaired = _clean(_turned(path, facts, _rgb(stored).astype(np.float32, copy=False)))
    return Hdr(
        pixels=pixels,
        primaries=facts.encoding.primaries,
        recovered=recovered,
        metadata=_upright(facts.metadata),
        provenance=facts.provenance,
        source=path,
        repaired_values=repaired,
        left_out=(*alpha_of(stored, facts.bit_depth), *left_out),
    )


def _turned(path: Path, facts: FileFacts, stored: NDArray[Any]) -> NDArray[Any]:
    """Return the upright raster; some decoders make another size of damaged files than the header says."""
    upright = orientation.apply(stored, facts.orientation)
    if upright.shape[:2] != (facts.height, facts.width):
        raise CorruptFile(f"{path}: its picture is not of the size that its header says. Copy or download it again.")
    return upright


def _in_16_bits(codes: NDArray[np.uint16], bit_depth: int) -> NDArray[np.uint16]:
    wide = np.empty_like(codes)
    for rows in strips(codes.shape):
        wide[rows] = np.rint(codes[rows] * (65535 / (2**bit_depth - 1)))
    return wide


def _rgb(stored: NDArray[Any]) -> NDArray[Any]:
    layers = stored[..., None] if stored.ndim == 2 else stored
    return layers[..., :3] if layers.shape[2] >= 3 else np.repeat(layers[..., :1], 3, axis=2)


def _upright(metadata: Metadata) -> Metadata:
    """Say in EXIF and XMP that the picture is upright."""
    return dataclasses.replace(
        metadata,
        exif=exif.upright(metadata.exif) if metadata.exif else None,
        xmp=_XMP_TURN.sub(rb"\g<1>1", metadata.xmp) if metadata.xmp else None,
    )


def _clean(pixels: FloatImage) -> tuple[FloatImage, int]:
    """Replace NaN and what is below 0 by 0, and infinity by the largest finite value; say how many there were."""
    if np.isfinite(pixels.max()) and pixels.min() >= 0:
        return pixels, 0
    repaired = pixels.size - np.count_nonzero(np.isfinite(pixels) & (pixels >= 0))
    largest = pixels.max(where=np.isfinite(pixels), initial=0)
    pixels = pixels if pixels.flags.writeable else pixels.copy()
    np.nan_to_num(pixels, copy=False, nan=0, posinf=largest, neginf=0)
    return np.maximum(pixels, 0, out=pixels), int(repaired)
