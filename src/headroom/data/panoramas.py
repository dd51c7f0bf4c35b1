"""Panoramas of one split, in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from headroom.colour.primaries import convert
from headroom.data.splits import split_of
from headroom.errors import DataError
from headroom.io import read_hdr

_SUFFIXES = {".hdr", ".exr"}


def load_panoramas(folder: Path, split: Literal["train", "val"]) -> dict[str, Tensor]:
    """Read the panoramas of `folder` that the committed list puts into `split`.

    Returns:
        3 x H x W linear radiance in BT.709 by asset name, in alphabetical order.

    Raises:
        DataError: There are none, or they differ in size.
    """
    panoramas = {path.stem: _read(path) for path in panorama_files(folder, split)}
    if len({tuple(panorama.shape) for panorama in panoramas.values()}) > 1:
        raise DataError(f"{folder}: its panoramas differ in size. Scale all to one size, such as 1024 x 512.")
    return panoramas


def panorama_files(folder: Path, split: Literal["train", "val"]) -> list[Path]:
    """Find the panoramas of `folder` that the committed list puts into `split`, in alphabetical order.

    Where none is of the val split, those that are in no list stand in for it: nothing here was trained on them.

    Raises:
        DataError: There are none.
    """
    by_split: dict[str | None, list[Path]] = {}
    for path in sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES):
        by_split.setdefault(split_of(path.stem), []).append(path)
    paths = by_split.get(split) or (by_split.get(None) if split == "val" else None)
    if not paths:
        raise DataError(f"{folder}: holds no panorama of the {split} split. Names are listed in data/splits.")
    return paths


def _read(path: Path) -> Tensor:
    hdr = read_hdr(path)
    pixels = np.ascontiguousarray(convert(hdr.pixels, hdr.primaries, "bt709").transpose(2, 0, 1))
    return torch.from_numpy(pixels).clamp_(min=0)
