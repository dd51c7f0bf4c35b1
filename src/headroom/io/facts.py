"""What a file says about itself before a pixel is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from headroom.image import Encoding, Metadata
from headroom.io import exif, orientation
from headroom.io import provenance as provenance_block
from headroom.io.guard import check_metadata, check_size
from headroom.io.light_levels import NOT_STATED, LightLevels


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Facts of one image file.

    Attributes:
        container: Format name, such as "jpeg".
        kind: "photo" for code values in a curve, "hdr" for linear light.
        width: Columns of the upright picture.
        height: Rows of the upright picture.
        bit_depth: Bits of one channel as stored: 8 or 16, and 16 or 32 for floats.
        encoding: Curve and primaries.
        orientation: EXIF orientation (1 to 8) of the stored raster.
        metadata: EXIF, XMP and ICC blocks.
        file_bytes: Size of the file.
        lossy_step: As `Photo.lossy_step`.
        provenance: As `Hdr.provenance`; empty for files that someone else made.
        light_levels: How bright the file says that it is.
    """

    container: str
    kind: Literal["photo", "hdr"]
    width: int
    height: int
    bit_depth: int
    encoding: Encoding
    orientation: int
    metadata: Metadata
    file_bytes: int
    lossy_step: float = 0.0
    provenance: Mapping[str, Any] = field(default_factory=dict)
    light_levels: LightLevels = NOT_STATED

    @property
    def has_exif(self) -> bool:
        """True when the file carries an EXIF block."""
        return self.metadata.exif is not None

    @property
    def has_icc(self) -> bool:
        """True when the file carries an ICC profile."""
        return self.metadata.icc is not None

    @property
    def has_xmp(self) -> bool:
        """True when the file carries an XMP packet."""
        return self.metadata.xmp is not None


def stored_facts(
    path: Path,
    *,
    container: str,
    kind: Literal["photo", "hdr"],
    size: tuple[int, int],
    bit_depth: int,
    encoding: Encoding,
    metadata: Metadata,
    file_bytes: int,
    turn: int | None = None,
    lossy_step: float = 0.0,
    provenance: Mapping[str, Any] | None = None,
    light_levels: LightLevels = NOT_STATED,
) -> FileFacts:
    """Return the facts of a file whose raster is stored with this width and height, after checking the limits.

    `turn` is the orientation of that raster, by default that of the EXIF block; `provenance` is by default that of the
    XMP packet; `path` is named in errors; the others are as in `FileFacts`.

    Raises:
        InputError: The size or a metadata block is impossible or beyond the limits.
    """
    check_size(path, *size)
    check_metadata(path, metadata)
    turn = exif.orientation(metadata.exif) if turn is None else turn
    width, height = size[::-1] if orientation.turns_sides(turn) else size
    made = provenance_block.from_xmp(metadata.xmp) if provenance is None else provenance
    return FileFacts(
        container,
        kind,
        width,
        height,
        bit_depth,
        encoding,
        turn,
        metadata,
        file_bytes,
        lossy_step,
        made,
        light_levels,
    )
