"""How a result was made, inside its file: method, weights hash, version, options and seed, as JSON.

Containers with XMP hold it as one property; the others have a place of their own, described in their modules.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Any

_NAMESPACE = "urn:headroom-hdr:provenance:1.0:"
_VALUE = re.compile(rb"""headroom:Provenance(?:\s*=\s*"([^"]*)"|\s*=\s*'([^']*)'|>([^<]*)</headroom:Provenance>)""")
_DESCRIPTION = re.compile(rb"""<rdf:Description rdf:about="" xmlns:headroom="[^"]*" headroom:Provenance="[^"]*"/>""")
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def unless_default(options: Mapping[str, Any], **defaults: object) -> dict[str, Any]:
    """Keep the options that are not as they are when nobody asks; None is the default of those that have no other."""
    return {name: value for name, value in options.items() if value != defaults.get(name)}


def to_text(provenance: Mapping[str, Any]) -> str:
    """Return one line of ASCII."""
    return json.dumps(dict(provenance))


def from_text(text: str) -> dict[str, Any]:
    """Return what `to_text` was given; nothing where the text is something else, as it may come from anyone."""
    found = value_of(text)
    return found if isinstance(found, dict) else {}


def value_of(text: str) -> object:
    """Return what a text is in JSON, with finite numbers only, else the text itself."""
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        return text


def into_xmp(packet: bytes | None, provenance: Mapping[str, Any]) -> bytes | None:
    """Return the packet with this provenance instead of an older one; as it is when there is nothing to say.

    A packet that is no RDF has no place for it and stays as it is.
    """
    if not provenance:
        return packet
    value = html.escape(to_text(provenance))
    ours = f'<rdf:Description rdf:about="" xmlns:headroom="{_NAMESPACE}" headroom:Provenance="{value}"/>'
    head, end, tail = _DESCRIPTION.sub(b"", packet or _PACKET.encode()).rpartition(b"</rdf:RDF>")
    return head + ours.encode() + end + tail if end else packet


def from_xmp(packet: bytes | None) -> dict[str, Any]:
    """Return the provenance in an XMP packet, or nothing."""
    found = _VALUE.search(packet or b"")
    if found is None:
        return {}
    value = next((group for group in found.groups() if group is not None), b"")
    return from_text(html.unescape(value.decode("utf-8", "replace")))


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value
