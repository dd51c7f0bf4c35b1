"""One picture that shows what a file really holds: exposure slices, and which pixels were measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headroom.colour.transfer import encode
from headroom.files import atomic_path
from headroom.image import FloatImage

if TYPE_CHECKING:
    from collections.abc import Sequence

TILE_SIDE_PX = 480
MARGIN_PX = 16
CAPTION_PX = 34
BACKGROUND = (24, 24, 24)
INK = (235, 235, 235)
RECOVERED = np.array([255, 120, 0], dtype=np.float32)  # seldom met in clipped regions, seen with any colour vision


def write_proof(path: Path, title: str, linear: FloatImage, marked: FloatImage | None, mark: str) -> None:
    """Write exposure slices of `linear`, and where `marked` is, as one picture.

    Args:
        path: PNG or JPEG.
        title: First line of the picture.
        linear: H x W x 3 linear BT.709 light, 1.0 = SDR white.
        marked: H x W mask of pixels to colour, or None where nothing is known.
        mark: What a coloured pixel means.
    """
    small = shrink(linear, TILE_SIDE_PX)
    exposures = exposures_ev(linear)
    tiles = [(f"{ev:+.2g} EV" if ev else "as an SDR screen shows it", slice_at(small, ev)) for ev in exposures]
    if linear.max() > 1:
        clipped = shrink(np.minimum(linear, 1.0), TILE_SIDE_PX)
        tiles.append((f"{exposures[-1]:+.2g} EV without what is above white", slice_at(clipped, exposures[-1])))
    if marked is not None:
        caption = f"{mark}: {np.count_nonzero(marked) / marked.size:.1%}"
        tiles.append((caption, overlay(small, shrink(marked, TILE_SIDE_PX))))
    with atomic_path(path) as temporary:
        lay_out(title, tiles).save(temporary)


def exposures_ev(linear: FloatImage) -> list[float]:
    """Return four equally spaced exposures, half-stop steps, from 0 down to where the brightest pixel is in range."""
    headroom_stops = np.log2(max(float(linear.max()), 1.0))
    step = max(1.0, np.ceil(headroom_stops / 3 * 2) / 2)
    return [-float(i * step) for i in range(4)]


def shrink(image: FloatImage, side_px: int) -> FloatImage:
    """Average an image down in linear light until it fits a square; smaller images stay as they are."""
    scale = min(1.0, side_px / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    planes = image[..., None] if image.ndim == 2 else image
    resized = [
        np.asarray(Image.fromarray(np.ascontiguousarray(planes[..., i])).resize(size, Image.Resampling.BOX))
        for i in range(planes.shape[2])
    ]
    return np.stack(resized, axis=-1).reshape(size[1], size[0], *image.shape[2:])


def slice_at(linear: FloatImage, ev: float) -> Image.Image:
    """Show linear light as an SDR screen would after a change of exposure."""
    codes = encode(np.clip(linear * 2.0**ev, 0.0, 1.0).astype(np.float32), "srgb")
    return Image.fromarray(np.rint(codes * 255).astype(np.uint8))


def overlay(linear: FloatImage, marked: FloatImage) -> Image.Image:
    """Colour marked pixels over a dark grey version of the picture."""
    grey = np.asarray(slice_at(linear, -1.0).convert("L"), dtype=np.float32)[..., None]
    share = np.clip(marked, 0.0, 1.0)[..., None]
    return Image.fromarray(np.rint(grey * (1 - share) + RECOVERED * share).astype(np.uint8))


def lay_out(title: str, tiles: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Put captioned tiles under a title: in one row when they are upright, in rows of three when they are wide."""
    width, height = tiles[0][1].size
    columns = len(tiles) if height > width else min(3, len(tiles))
    rows = -(-len(tiles) // columns)
    cell = (width + MARGIN_PX, height + CAPTION_PX + MARGIN_PX)
    sheet = Image.new("RGB", (columns * cell[0] + MARGIN_PX, rows * cell[1] + CAPTION_PX + 2 * MARGIN_PX), BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN_PX, MARGIN_PX), title, fill=INK, font=ImageFont.load_default(22))
    for i, (caption, tile) in enumerate(tiles):
        left, top = MARGIN_PX + i % columns * cell[0], CAPTION_PX + 2 * MARGIN_PX + i // columns * cell[1]
        draw.text((left, top), caption, fill=INK, font=ImageFont.load_default(18))
        sheet.paste(tile, (left, top + CAPTION_PX - 8))
    return sheet
