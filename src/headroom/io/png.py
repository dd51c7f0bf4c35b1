"""PNG by libpng through imagecodecs: photos of 1 to 16 bits, and HDR images in PQ or HLG.

Of animated ones the still picture is read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headroom.colour.cicp import encoding_of
from headroom.errors import CorruptFile, UsageError
from headroom.image import Encoding, Hdr, Metadata, Photo, Primaries, TransferName
from headroom.io import assemble, chromaticities, light_levels, png_file, profile
from headroom.io.facts import FileFacts, stored_facts
from headroom.io.hdr_codes import curve_of, hdr_codes, kind_of
from headroom.io.options import WriteOptions
from headroom.io.unread import further_pictures
from headroom.limits import LIMITS

_KEPT = frozenset({b"IHDR", b"cICP", b"cLLI", b"mDCV", b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"eXIf"})
_XMP = b"XML:com.adobe.xmp\0"
_GAMMAS: dict[int, TransferName] = {45455: "gamma22", 55556: "gamma18", 100000: "linear"}


def describe(path: Path, content: bytes) -> FileFacts:
    """Return what the chunks say."""
    chunks = _chunks(content)
    if len(chunks.get(b"IHDR", b"")) != 13:
        raise CorruptFile(f"{path}: the PNG header is damaged. Copy or download it again.")
    width, height, depth = struct.unpack(">IIB", chunks[b"IHDR"][:9])
    stated = _stated_encoding(chunks)
    metadata = Metadata(
        exif=chunks.get(b"eXIf"),
        xmp=chunks.get(_XMP),
        icc=None if stated else _profile(chunks.get(b"iCCP", b"")),
    )
    encoding = stated or _fallback_encoding(chunks, metadata)
    return stored_facts(
        path,
        container="png",
        kind=kind_of(encoding),
        size=(width, height),
        bit_depth=16 if depth == 16 else 8,
        encoding=encoding,
        metadata=metadata,
        file_bytes=len(content),
        light_levels=light_levels.stated(chunks.get(b"cLLI", b""), chunks.get(b"mDCV", b"")),
    )


def read(path: Path, content: bytes) -> Photo | Hdr:
    """Return a photo, or an HDR image where the curve is PQ or HLG.

    Palettes and fewer than 8 bits are spread to 8, alpha and further pictures are dropped.
    """
    import imagecodecs

    facts = describe(path, content)
    _check_sums(path, content)
    stored = np.asarray(imagecodecs.png_decode(content))
    return assemble.picture(path, facts, stored, left_out=further_pictures(_pictures(content) - 1))


def write(path: Path, hdr: Hdr, options: WriteOptions) -> None:
    """Write PQ or HLG of 16 bits with its code points, MaxCLL and MaxFALL.

    Raises:
        UsageError: Another depth, or linear light.
    """
    if options.bit_depth not in {None, 16}:
        raise UsageError(f"{path}: PNG holds HDR in 16 bits, not in {options.bit_depth}. Leave the depth out.")
    path.write_bytes(png_file.build(hdr_codes(hdr, curve_of(path, options), 16), hdr.metadata))


def _walk(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind of each chunk and all of it from kind to checksum, up to where the file breaks off."""
    at = 8
    while at + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], memoryview(content)[at + 4 : at + 12 + size]
        at += 12 + size


def _pictures(content: bytes) -> int:
    """Count the still picture and the frames of an animation that it is none of: each has data of its own."""
    kinds = [kind for kind, _ in _walk(content) if kind in {b"fcTL", b"IDAT"}]
    return kinds.count(b"fcTL") + (kinds[:1] == [b"IDAT"])


def _check_sums(path: Path, content: bytes) -> None:
    """Refuse damage in the picture's own chunks: once libpng has all rows, it looks at no checksum any more."""
    for kind, chunk in _walk(content):
        if kind in {b"IHDR", b"PLTE", b"IDAT"} and zlib.crc32(chunk[:-4]).to_bytes(4, "big") != chunk[-4:]:
            raise CorruptFile(f"{path}: a checksum of the PNG data is wrong. Copy or download it again.")


def _chunks(content: bytes) -> dict[bytes, bytes]:
    """Return the content of the first chunk of each kind that matters; a huge one is cut just above its limit."""
    found: dict[bytes, bytes] = {}
    for kind, chunk in _walk(content):
        block = chunk[4:-4][: LIMITS.metadata_bytes + 1]
        if kind in _KEPT:
            found.setdefault(kind, bytes(block))
        elif kind == b"iTXt" and block[: len(_XMP)] == _XMP:
            found.setdefault(_XMP, _international_text(bytes(block)))
    return found


def _international_text(block: bytes) -> bytes:
    """Return the text of an iTXt chunk: keyword 0 flag method language 0 translated-keyword 0 text."""
    _keyword, _, rest = block.partition(b"\0")
    _language, _, rest_of_it = rest[2:].partition(b"\0")
    text = rest_of_it.partition(b"\0")[2]
    return _inflate(text) if rest[:1] == b"\x01" else text


def _profile(block: bytes) -> bytes | None:
    """Return the ICC profile of an iCCP chunk: name 0 method compressed; a damaged one stays damaged bytes."""
    name, separator, rest = block.partition(b"\0")
    return _inflate(rest[1:]) or name if separator else None


def _inflate(data: bytes) -> bytes:
    """Decompress to one byte more than the limit at most; what is damaged becomes empty."""
    try:
        return zlib.decompressobj().decompress(data, LIMITS.metadata_bytes + 1)
    except zlib.error:
        return b""


def _stated_encoding(chunks: dict[bytes, bytes]) -> Encoding | None:
    """Return the encoding of a cICP chunk, which outranks all others (PNG 3, 4.3); only full-range RGB has one."""
    cicp = chunks.get(b"cICP", b"")
    if len(cicp) != 4 or cicp[2:] != b"\0\x01":
        return None
    return encoding_of(cicp[0], cicp[1])


def _fallback_encoding(chunks: dict[bytes, bytes], metadata: Metadata) -> Encoding:
    """Return the encoding of an ICC profile, else of sRGB, else of gAMA and cHRM, else of EXIF."""
    if metadata.icc is not None:
        return profile.encoding_of(metadata)
    if b"sRGB" in chunks:
        return Encoding()
    if len(chunks.get(b"gAMA", b"")) != 4:
        return profile.encoding_of(metadata)
    (hundred_thousandths,) = struct.unpack(">I", chunks[b"gAMA"])
    primaries = _primaries(chunks.get(b"cHRM", b""))
    if hundred_thousandths in _GAMMAS:
        return Encoding(primaries, _GAMMAS[hundred_thousandths])
    if not 10_000 <= hundred_thousandths <= 1_000_000:
        return Encoding(known=False)
    table = np.linspace(0, 1, 4096, dtype=np.float64) ** (100_000 / hundred_thousandths)
    return Encoding(primaries, None, table.astype(np.float32))


def _primaries(chrm: bytes) -> Primaries:
    """Return the primaries of a cHRM chunk (white first), BT.709 where they have no name here."""
    if len(chrm) != 32:
        return "bt709"
    numbers = [value / 100_000 for value in struct.unpack(">8I", chrm)]
    return chromaticities.named([*numbers[2:], *numbers[:2]]) or "bt709"
