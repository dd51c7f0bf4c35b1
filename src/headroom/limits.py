"""Every limit on size, time and memory, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that hold before any work starts.

    Attributes:
        file_bytes: Largest file that is opened as a compressed photo.
        hdr_file_bytes: Largest file that is opened as an uncompressed or float image, where a pixel takes 12 bytes.
        pixels: Largest width times height.
        side_px: Largest width or height.
        decoder_seconds: Longest time, by the clock or of processors, for a decoder in a process of its own.
        decoder_base_bytes: Address space that such a process has for the interpreter, the libraries and their threads.
        metadata_bytes: Largest EXIF, XMP or ICC block that is kept; a larger one is refused.
        weights_bytes: Largest weights file that is opened.
        weights_header_bytes: Largest safetensors header.
        weights_tensors: Most tensors in one weights file.
        checkpoint_seconds: Longest time, by the clock or of processors, to find the tensors in a checkpoint of others.
        checkpoint_index_bytes: Memory of the process that does so.
        bracket_frames: Most frames in one bracket.
    """

    file_bytes: int = 256 * 2**20
    hdr_file_bytes: int = 4 * 2**30
    pixels: int = 200_000_000
    side_px: int = 65_500
    decoder_seconds: int = 120
    decoder_base_bytes: int = 2 * 2**30
    metadata_bytes: int = 16 * 2**20
    weights_bytes: int = 16 * 2**30
    weights_header_bytes: int = 8 * 2**20
    weights_tensors: int = 20_000
    checkpoint_seconds: int = 60
    checkpoint_index_bytes: int = 2**30
    bracket_frames: int = 9


LIMITS = Limits()
