"""The parts of a JPEG XL file that matter before it is decoded: codestream header and metadata (ISO/IEC 18181-2)."""

from __future__ import annotations

from pathlib import Path

from headroom.errors import CorruptFile
from headroom.image import Metadata
from headroom.io import isobmff, jxl_codestream
from headroom.io.jxl_codestream import HEADER_BYTES, SIGNATURE, CodestreamHeader
from headroom.limits import LIMITS


def parse(path: Path, content: bytes) -> CodestreamHeader:
    """Return what the codestream says about itself.

    Raises:
        CorruptFile: There is no codestream.
    """
    start = codestream(content, HEADER_BYTES)
    if not start.startswith(SIGNATURE) or len(start) < 4:
        raise CorruptFile(f"{path}: the JPEG XL header is damaged. Copy or download it again.")
    return jxl_codestream.parse(start)


def codestream(content: bytes, most: int) -> bytes:
    """Return the codestream, which may be spread over several boxes, cut at `most` bytes; empty where there is none."""
    if content.startswith(SIGNATURE):
        return content[:most]
    stream = bytearray()
    for kind, body in isobmff.boxes(memoryview(content)):
        if kind in {b"jxlc", b"jxlp"} and len(stream) < most:
            number_bytes = 4 if kind == b"jxlp" else 0
            stream += body[number_bytes : number_bytes + most - len(stream)]
    return bytes(stream)


def was_jpeg(content: bytes) -> bool:
    """Return True when a box holds what is needed to make the former JPEG file again."""
    if content.startswith(SIGNATURE):
        return False
    return any(kind == b"jbrd" for kind, _ in isobmff.boxes(memoryview(content)))


def metadata(content: bytes) -> Metadata:
    """Return the EXIF block and the XMP packet of the boxes, compressed ones included; without ICC profile."""
    found: dict[bytes, bytes] = {}
    if not content.startswith(SIGNATURE):
        for kind, body in isobmff.boxes(memoryview(content)):
            if kind in {b"Exif", b"xml "}:
                found.setdefault(kind, bytes(body[: LIMITS.metadata_bytes + 1]))
            elif kind == b"brob" and bytes(body[:4]) in {b"Exif", b"xml "}:
                found.setdefault(bytes(body[:4]), _inflate(body[4:]))
    exif = found.get(b"Exif", b"")
    return Metadata(exif=exif[4 + int.from_bytes(exif[:4], "big") :] or None, xmp=found.get(b"xml ") or None)


def _inflate(compressed: memoryview) -> bytes:
    """Decompress at most one byte more than the limit; what is damaged becomes empty."""
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(bytes(compressed), out=LIMITS.metadata_bytes + 1))
    except imagecodecs.BrotliError:
        return b""
