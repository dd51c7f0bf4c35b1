"""Code points of ITU-T H.273 ("CICP") for what an `Encoding` can name."""

from __future__ import annotations

from headroom.image import Encoding, Primaries, TransferName

PRIMARIES: dict[int, Primaries] = {1: "bt709", 9: "bt2020", 12: "p3"}
"""Names of the colour primaries with a D65 white."""

TRANSFERS: dict[int, TransferName] = {
    1: "bt709", 4: "gamma22", 6: "bt709", 8: "linear", 13: "srgb", 14: "bt709", 15: "bt709", 16: "pq", 18: "hlg",
}  # fmt: skip
"""Names of the transfer characteristics."""

PRIMARIES_CODES = {name: code for code, name in PRIMARIES.items()}
"""The code points of primaries; Adobe RGB and ProPhoto RGB have none."""

TRANSFER_CODES: dict[TransferName, int] = {"linear": 8, "srgb": 13, "pq": 16, "hlg": 18}
"""The code points of the curves that are written."""


def encoding_of(primaries: int, transfer: int) -> Encoding | None:
    """Return the encoding of two code points, or None where one of them is unspecified or has no name here."""
    names = PRIMARIES.get(primaries), TRANSFERS.get(transfer)
    return Encoding(names[0], names[1]) if names[0] and names[1] else None
