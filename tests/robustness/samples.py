"""One small file of every kind that is read."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from makers import dng, heic
from numpy.typing import NDArray
from PIL import Image

from headroom.colour.icc import profile_for
from headroom.image import Encoding, Hdr
from headroom.io import write_hdr

Maker = Callable[[Path], bytes]

# These are decoded in a child process, a fifth of a second each.
IN_A_CHILD = {"exr", "avif", "jxl", "heic", "dng"}


def picture() -> NDArray[np.uint8]:
    """Return 16 x 22 x 3 codes."""
    y, x = np.mgrid[:16, :22]
    return np.stack([x * 11, y * 15, (x + 2 * y) * 4], axis=-1).astype(np.uint8)


def by_pillow(image_format: str, **options: object) -> Maker:
    def make(_: Path) -> bytes:
        stream = BytesIO()
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "a maker"
        Image.fromarray(picture()).save(
            stream, image_format, exif=exif, icc_profile=profile_for(Encoding("p3")), **options
        )
        return stream.getvalue()

    return make


def by_tifffile(**options: object) -> Maker:
    def make(_: Path) -> bytes:
        stream = BytesIO()
        tifffile.imwrite(stream, picture(), photometric="rgb", **options)
        return stream.getvalue()

    return make


def by_us(suffix: str) -> Maker:
    def make(folder: Path) -> bytes:
        path = folder / f"made.{suffix}"
        write_hdr(Hdr(picture().astype(np.float32) / 64), path)
        return path.read_bytes()

    return make


SAMPLES: dict[str, Maker] = {
    "jpeg": by_pillow("JPEG", quality=70),
    "progressive jpeg": by_pillow("JPEG", quality=70, progressive=True),
    "gain-map jpeg": by_us("jpg"),
    "png": by_pillow("PNG"),
    "png of 16 bits": lambda _: bytes(imagecodecs.png_encode(picture().astype(np.uint16) * 257)),
    "pq png": by_us("png"),
    "webp": by_pillow("WEBP", quality=70),
    "lossless webp": by_pillow("WEBP", lossless=True),
    "tiff": by_tifffile(),
    "lzw tiff": by_tifffile(compression="lzw", rowsperstrip=3),
    "tiled tiff": by_tifffile(compression="zlib", predictor=True, tile=(16, 16)),
    "float tiff": by_us("tif"),
    "hdr": by_us("hdr"),
    "pfm": by_us("pfm"),
    "exr": by_us("exr"),
    "avif": by_us("avif"),
    "jxl": by_us("jxl"),
    "heic": lambda _: heic(picture().astype(np.uint16) * 4, 10),
    "dng": lambda _: dng(np.tile(picture() / 255, (2, 2, 1))),
}
