"""Facts about photos and HDR images, ready for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from headroom.image import FloatImage, Hdr, Photo
    from headroom.io.facts import FileFacts


def file_facts(facts: FileFacts) -> dict[str, Any]:
    """Return what a file says about itself."""
    return {
        "container": facts.container,
        "kind": facts.kind,
        "width": facts.width,
        "height": facts.height,
        "bit_depth": facts.bit_depth,
        "file_bytes": facts.file_bytes,
        "curve": facts.encoding.transfer or "table",
        "curve_known": facts.encoding.known,
        "primaries": facts.encoding.primaries,
        "orientation": facts.orientation,
        "metadata": [
            name
            for name, present in (("EXIF", facts.has_exif), ("XMP", facts.has_xmp), ("ICC", facts.has_icc))
            if present
        ],
        "light_levels": {name: value for name, value in asdict(facts.light_levels).items() if value is not None},
        "provenance": dict(facts.provenance),
    }


def light_facts(linear: FloatImage) -> dict[str, float | None]:
    """Return the range of an H x W x 3 linear image, in stops; None where nothing is lit.

    `headroom_stops` is the brightest channel above SDR white; `range_stops` goes from the darkest per mille of the
    lit pixels to the brightest one.
    """
    peak = float(linear.max())
    if peak <= 0:
        return {"headroom_stops": None, "range_stops": None}
    step = max(1, linear.size // 3_000_000)  # a million pixels are plenty for a quantile
    brightest = linear.reshape(-1, 3)[::step].max(axis=-1)
    floor = float(np.quantile(brightest[brightest > 0], 0.001)) if brightest.any() else peak
    return {"headroom_stops": round(math.log2(peak), 3), "range_stops": round(math.log2(peak / floor), 3)}


def clipped_facts(photo: Photo) -> dict[str, Any]:
    """Return the share of pixels with a clipped channel, and of each channel."""
    from headroom.restore.clipping import clipped_codes  # with torch, which HDR files need not wait for

    clipped = clipped_codes(photo)
    return {
        "clipped_share": round(float(clipped.any(axis=-1).mean()), 6),
        "clipped_share_rgb": [round(float(share), 6) for share in clipped.mean(axis=(0, 1))],
    }


def gain_map_facts(photo: Photo) -> dict[str, Any]:
    """Return whose numbers a photo's gain map has and how far above SDR white it reaches; None for one without."""
    found = photo.gain_map
    return {
        "gain_map": found.standard if found else None,
        "gain_map_headroom_stops": round(found.alternate_headroom, 3) if found else None,
        "gain_map_problem": photo.gain_map_problem,
    }


def recovered_facts(hdr: Hdr) -> dict[str, float | None]:
    """Return the share of pixels that were filled in; None where the file does not say."""
    if hdr.recovered is None:
        return {"recovered_share": None}
    return {"recovered_share": round(np.count_nonzero(hdr.recovered) / hdr.recovered.size, 6)}


def expansion_facts(hdr: Hdr) -> dict[str, Any]:
    """Return what became of one photo: the range, what was filled in, and how."""
    from headroom.io.unread import unread

    recovered = recovered_facts(hdr)
    warnings = unread(hdr.photo) if hdr.photo else []
    uses_map = hdr.provenance["gain_map"].startswith("used")
    # A method without weights fills nothing.
    if hdr.provenance["weights_sha256"] and not uses_map and not recovered["recovered_share"]:
        warnings.append("nothing is clipped, so the result is no brighter than the photo")
    if hdr.photo and hdr.photo.gain_map_problem:
        warnings.append(f"its gain map is not used: {hdr.photo.gain_map_problem}")
    return {**light_facts(hdr.pixels), **recovered, "warnings": warnings, **hdr.provenance}
