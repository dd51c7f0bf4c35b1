"""Checks a folder of HDR panoramas before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headroom.colour.primaries import luminance_weights
from headroom.errors import DataError, InputError
from headroom.image import FloatImage, Hdr
from headroom.io import read_hdr

SUFFIXES = frozenset({".hdr", ".exr", ".pfm"})
"""Files of a folder that are taken for panoramas."""

MINIMUM_WIDTH_PX = 1024
"""A view of 90 degrees is a quarter as wide, and training sees 128 to 256 px."""

MINIMUM_STOPS = 5.0
"""Between the 0.1th and the 99.99th percentile; less is an ordinary photo saved in an HDR container."""

LARGEST_SHARE_AT_TOP = 1e-4
"""The sun covers a twentieth of this; where light was measured no two pixels are quite equal, clamped ones are."""

DUPLICATE_STOPS = 0.2
"""RMS difference of two small versions; among fifty different places the smallest was 0.44."""

_SMALL_HEIGHT = 32


@dataclass(frozen=True, slots=True)
class PanoramaReport:
    """What is known about one file.

    Attributes:
        path: The file.
        width_px: Columns, 0 for a file that cannot be read.
        height_px: Rows.
        stops: log2 of the luminance range from the 0.1th to the 99.99th percentile of the pixels that are not black.
        content_sha256: Hash of size and pixels, the same for the same picture in another lossless container.
        problems: Sentences that say what is wrong and what to do; empty for a usable panorama.
    """

    path: Path
    width_px: int = 0
    height_px: int = 0
    stops: float = 0.0
    content_sha256: str = ""
    problems: tuple[str, ...] = ()


def check_panoramas(folder: Path) -> list[PanoramaReport]:
    """Check every panorama of a folder, in the order of their names.

    Raises:
        DataError: There is no such folder, or no panorama in it.
    """
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not paths:
        raise DataError(f"{folder}: holds no panorama ({', '.join(sorted(SUFFIXES))}). Give a folder that does.")
    reports: list[PanoramaReport] = []
    seen: list[tuple[PanoramaReport, FloatImage]] = []
    for path in paths:
        report, small = _check(path)
        if small is not None:
            twin = next((other for other, picture in seen if _distance_stops(picture, small) < DUPLICATE_STOPS), None)
            seen.append((report, small))
            if twin is not None:
                report = replace(report, problems=(*report.problems, _duplicate(report, twin)))
        reports.append(report)
    return reports


def _check(path: Path) -> tuple[PanoramaReport, FloatImage | None]:
    """Report on one file; give a small log2 version of a sound one for the search for duplicates."""
    try:
        hdr = read_hdr(path)
    except InputError as error:
        return PanoramaReport(path, problems=(str(error),)), None
    luminance = hdr.pixels @ luminance_weights(hdr.primaries).astype(np.float32)
    stops = _stops(luminance)
    report = PanoramaReport(path, hdr.width, hdr.height, stops, _sha256(hdr.pixels), tuple(_problems(hdr, stops)))
    return report, None if report.problems else _small(luminance)


def _problems(hdr: Hdr, stops: float) -> Iterator[str]:
    height, width, pixels = hdr.height, hdr.width, hdr.pixels
    if width != 2 * height:
        yield f"is {width} x {height}, not 2:1. Export it as an equirectangular panorama of the whole sphere."
    if width < MINIMUM_WIDTH_PX:
        yield f"is {width} px wide, less than {MINIMUM_WIDTH_PX}. Get it at a higher resolution."
    if hdr.repaired_values:
        yield f"has {hdr.repaired_values} values that are NaN, infinite or negative. Repair or remove it."
    if stops < MINIMUM_STOPS:
        yield f"spans {stops:.1f} stops, less than {MINIMUM_STOPS:.0f}. It is not HDR; remove it."
    brightest = pixels.max(axis=2)
    top = float(brightest.max())
    share = float(np.mean(brightest >= 0.999 * top))
    if share > LARGEST_SHARE_AT_TOP:
        yield f"has {share:.2%} of its pixels at the maximum {top:.4g}: lights are clamped. Get the unclamped file."


def _stops(luminance: FloatImage) -> float:
    lit = luminance[np.isfinite(luminance) & (luminance > 0)]
    low, high = np.percentile(lit, [0.1, 99.99]) if lit.size else (1.0, 1.0)
    return float(np.log2(high / low))


def _sha256(pixels: FloatImage) -> str:
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels, dtype="<f4").data)
    return digest.hexdigest()


def _small(luminance: FloatImage) -> FloatImage:
    """Average down to 32 rows of log2 luminance around zero, which exposure does not change."""
    size = luminance.shape[0] // _SMALL_HEIGHT
    rows, columns = _SMALL_HEIGHT, 2 * _SMALL_HEIGHT
    cells = luminance[: rows * size, : columns * size].reshape(rows, size, columns, size).mean(axis=(1, 3))
    log: NDArray[np.float32] = np.log2(np.maximum(cells, cells.max() * 2.0**-20))
    log -= log.mean()
    return log


def _distance_stops(one: FloatImage, other: FloatImage) -> float:
    return float(np.sqrt(np.mean(np.square(one - other))))


def _duplicate(report: PanoramaReport, twin: PanoramaReport) -> str:
    kind = "the same pixels as" if report.content_sha256 == twin.content_sha256 else "nearly the same picture as"
    return f"holds {kind} {twin.path.name}. Keep one of the two, or they may end up in both splits."
