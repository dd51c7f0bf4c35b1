"""Photos and HDR images in and out of files; one module per container, `formats` lists them."""

from headroom.io.reading import describe, read, read_hdr, read_photo
from headroom.io.writing import write_hdr, write_photo, write_preview

__all__ = ["describe", "read", "read_hdr", "read_photo", "write_hdr", "write_photo", "write_preview"]
