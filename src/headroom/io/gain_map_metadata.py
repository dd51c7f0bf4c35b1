"""The numbers of a gain map as ISO 21496-1 bytes and as the XMP of Adobe and Google, both ways."""

from __future__ import annotations

import dataclasses
import re
import struct
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import GainMap, GainMapStandard, Primaries

_Triple = tuple[float, float, float]

ISO_VERSIONS = struct.pack(">HH", 0, 0)
"""Version that a reader must know and version of the writer: all that the base image itself says in ISO 21496-1."""

_THREE_CHANNELS, _BASE_COLOUR_SPACE, _COMMON_DENOMINATOR = 0x80, 0x40, 0x08
_LARGEST_DENOMINATOR = 2**20
_LARGEST_VALUE = 32.0  # beyond any picture, and its power of two is far from float32's end

# Names of the numbers per channel, in the order of the standard, with their defaults; None where there is none.
_XMP_FIELDS = {"GainMapMin": 0.0, "GainMapMax": None, "Gamma": 1.0, "OffsetSDR": 1 / 64, "OffsetHDR": 1 / 64}
_XMP_HEADROOMS = {"HDRCapacityMin": 0.0, "HDRCapacityMax": None}
_DIRECTORY = """<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"\
 xmlns:Container="http://ns.google.com/photos/1.0/container/"\
 xmlns:Item="http://ns.google.com/photos/1.0/container/item/" hdrgm:Version="1.0"><Container:Directory><rdf:Seq>\
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" Item:Mime="image/jpeg"/></rdf:li>\
<rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" Item:Mime="image/jpeg" Item:Length="{}"/>\
</rdf:li></rdf:Seq></Container:Directory></rdf:Description>"""
_PACKET = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
%s</rdf:RDF></x:xmpmeta>"""
# No pattern here can read the same byte twice from many places, so that hostile packets cost no more than others.
_OLD_GAIN_MAP = re.compile(
    rb"""(?<!\s)\s+hdrgm:Version\s*=\s*(?:"[^"]*"|'[^']*')"""
    rb"|<hdrgm:Version>[^<]*</hdrgm:Version>"
    rb"|<Container:Directory\b(?:(?!Container:Directory).)*</Container:Directory>",
    re.DOTALL,
)
_PADDING = re.compile(rb"(?<!\s)\s+(?=<\?xpacket end)")


def to_iso(gain_map: GainMap) -> bytes:
    """Return the binary metadata of ISO 21496-1, with three sets of numbers only where the channels differ."""
    per_channel = _per_channel(gain_map)
    channels = 1 if all(len(set(values)) == 1 for values in per_channel) else 3
    values = [gain_map.base_headroom, gain_map.alternate_headroom]
    values += [triple[channel] for channel in range(channels) for triple in per_channel]
    ratios = [Fraction(value).limit_denominator(_LARGEST_DENOMINATOR) for value in values]
    flags = _BASE_COLOUR_SPACE if gain_map.gain_primaries is None else 0
    flags |= _THREE_CHANNELS if channels == 3 else 0
    return ISO_VERSIONS + bytes([flags]) + b"".join(struct.pack(">iI", *ratio.as_integer_ratio()) for ratio in ratios)


def from_iso(block: bytes, codes: NDArray[np.uint8], alternate: Primaries | None = None) -> GainMap:
    """Return the gain map of these codes and this metadata.

    Args:
        block: The metadata.
        codes: Codes of the map.
        alternate: Primaries of the alternate image, in which the gain applies where the metadata say so; None for those
            of the base image, which stand in for unknown ones.

    Raises:
        CorruptFile: The metadata end early or hold impossible numbers.
        UnsupportedFormat: They ask for a newer reader.
    """
    if block[:2] != ISO_VERSIONS[:2]:
        raise UnsupportedFormat("The gain map asks for a newer reader of ISO 21496-1. Export it again with version 0.")
    try:
        flags = block[4]
        channels = 3 if flags & _THREE_CHANNELS else 1
        values = _ratios(block[5:], 2 + 5 * channels, common=bool(flags & _COMMON_DENOMINATOR))
    except (IndexError, struct.error, ZeroDivisionError):
        raise CorruptFile("The ISO 21496-1 metadata of the gain map are damaged. Export the file again.") from None
    columns = [_triple(values[2 + field :: 5]) for field in range(5)]
    gain_map = _checked(codes, columns, (values[0], values[1]), "iso")
    return gain_map if flags & _BASE_COLOUR_SPACE else dataclasses.replace(gain_map, gain_primaries=alternate)


def to_xmp(gain_map: GainMap) -> bytes:
    """Return the XMP packet of a gain-map image whose base is SDR.

    Numbers that the channels share are attributes, the only form that some readers of XMP understand.
    """
    attributes, elements = "", ""
    for name, values in zip(_XMP_FIELDS, _per_channel(gain_map), strict=True):
        if len(set(values)) == 1:
            attributes += f' hdrgm:{name}="{values[0]:.6f}"'
        else:
            items = "".join(f"<rdf:li>{value:.6f}</rdf:li>" for value in values)
            elements += f"<hdrgm:{name}><rdf:Seq>{items}</rdf:Seq></hdrgm:{name}>"
    description = (
        '<rdf:Description rdf:about="" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
        f'{attributes} hdrgm:HDRCapacityMin="{gain_map.base_headroom:.6f}"'
        f' hdrgm:HDRCapacityMax="{gain_map.alternate_headroom:.6f}"'
        f' hdrgm:BaseRenditionIsHDR="False">{elements}</rdf:Description>'
    )
    return _PACKET % description.encode()


def from_xmp(packet: bytes, codes: NDArray[np.uint8]) -> GainMap:
    """Return the gain map of these codes and this packet of the gain-map image.

    Raises:
        CorruptFile: A number is missing or impossible.
    """
    text = packet.decode("utf-8", "replace")
    columns = [_triple(_xmp_values(text, name, default)) for name, default in _XMP_FIELDS.items()]
    low, high = (_triple(_xmp_values(text, *field))[0] for field in _XMP_HEADROOMS.items())
    if re.search(r"""hdrgm:BaseRenditionIsHDR(?:\s*=\s*["']|>)\s*True""", text):
        low, high = high, low
        columns[3:] = columns[:2:-1]
    return _checked(codes, columns, (low, high), "hdrgm")


def is_gain_map_xmp(packet: bytes) -> bool:
    """Return True for the packet of a gain-map image, as opposed to that of a base."""
    return b"hdrgm:GainMapMax" in packet


def base_xmp(existing: bytes | None, map_bytes: int) -> bytes | None:
    """Return the XMP packet of a base image, with the directory that leads old readers to the gain map.

    What an existing packet says is kept, but for an older gain map's directory, and its padding is used up. None when
    that packet has no place for ours; readers of ISO 21496-1 need none.
    """
    directory = _DIRECTORY.format(map_bytes).encode()
    if existing is None:
        return _PACKET % directory
    kept = _PADDING.sub(b"\n", without_directory(existing))
    head, end, tail = kept.rpartition(b"</rdf:RDF>")
    return head + directory + end + tail if end else None


def without_directory(packet: bytes) -> bytes:
    """Return a packet without the directory that leads to a gain map, for files that have none."""
    return _OLD_GAIN_MAP.sub(b"", packet)


def _per_channel(gain_map: GainMap) -> tuple[_Triple, ...]:
    return gain_map.minimum, gain_map.maximum, gain_map.gamma, gain_map.base_offset, gain_map.alternate_offset


def _ratios(block: bytes, count: int, *, common: bool) -> list[float]:
    """Return `count` ratios; libultrahdr may write their denominator once, before them."""
    if common:
        (denominator,) = struct.unpack_from(">I", block)
        return [value / denominator for value in struct.unpack_from(f">{count}i", block, 4)]
    numbers = struct.unpack_from(">" + "iI" * count, block)
    return [numerator / denominator for numerator, denominator in zip(numbers[::2], numbers[1::2], strict=True)]


def _xmp_values(text: str, name: str, default: float | None) -> list[float]:
    """Return the one or three values of a property, written as attribute, element or list; [] for nonsense."""
    attribute, element = (
        rf"""hdrgm:{name}\s*=\s*["']([^"']*)["']""",
        rf"<hdrgm:{name}>((?:(?!hdrgm:).)*)</hdrgm:{name}>",
    )
    found = re.search(f"{attribute}|{element}", text, re.DOTALL)
    if found is None:
        return [] if default is None else [default]
    try:
        return [float(item) for item in re.sub(r"<[^<>]*>", " ", found[1] or found[2] or "").split()]
    except ValueError:
        return []


def _triple(values: list[float]) -> _Triple:
    if len(values) == 1:
        values = values * 3
    if len(values) != 3:
        raise CorruptFile("A number of the gain map is missing or no number. Export the file again.")
    return (values[0], values[1], values[2])


def _checked(
    codes: NDArray[np.uint8], columns: list[_Triple], headrooms: tuple[float, float], standard: GainMapStandard
) -> GainMap:
    minimum, maximum, gamma, base_offset, alternate_offset = columns
    values = np.array([*headrooms, *minimum, *maximum, *gamma, *base_offset, *alternate_offset])
    ordered = all(low <= high for low, high in zip(minimum, maximum, strict=True))
    if not (np.abs(values) <= _LARGEST_VALUE).all() or min(gamma) <= 0 or not ordered:
        raise CorruptFile("The numbers of the gain map are impossible. Export the file again.")
    return GainMap(codes, minimum, maximum, gamma, base_offset, alternate_offset, *headrooms, standard)
