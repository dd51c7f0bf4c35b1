"""The field's data sets of photos, in the folders that users download."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from headroom.benchmark.item import Item
from headroom.errors import DataError
from headroom.image import Hdr
from headroom.io import read_hdr, read_photo


def single_hdr_items(folder: Path) -> list[Item]:
    """Give the pairs of HDR-Real or HDR-Eye as Liu et al. 2020 (SingleHDR) hand them out.

    Either LDR_in/NAME.jpg with HDR_gt/NAME.hdr, or NUMBER/input.jpg with NUMBER/gt.hdr, at any depth.

    Raises:
        DataError: There is neither, or a photo lacks its truth.
    """
    pairs = {
        **{photo: photo.parents[1] / "HDR_gt" / f"{photo.stem}.hdr" for photo in folder.rglob("LDR_in/[!.]*.jpg")},
        **{photo: photo.with_name("gt.hdr") for photo in folder.rglob("input.jpg")},
    }
    if not pairs:
        raise DataError(
            f"{folder}: holds neither LDR_in/*.jpg nor NUMBER/input.jpg. Give the folder that holds LDR_in and HDR_gt."
        )
    return _items(folder, pairs)


def si_hdr_items(folder: Path) -> list[Item]:
    """Give the pairs of SI-HDR (Hanji et al. 2022): input/clip_95 and clip_97/NNN.png with reference/NNN.exr.

    Raises:
        DataError: There is no input, or one lacks its truth.
    """
    pairs = {photo: folder / "reference" / f"{photo.stem}.exr" for photo in folder.glob("input/clip_9[57]/[!.]*.png")}
    if not pairs:
        raise DataError(
            f"{folder}: holds no input/clip_95/*.png. Give the folder into which input.zip and reference.zip were "
            "unpacked."
        )
    return _items(folder, pairs)


def places365_items(folder: Path) -> list[Item]:
    """Give the photos of Places365 (Zhou et al. 2017), which have no truth: val_256, data_large or any such folder.

    Raises:
        DataError: There are none.
    """
    photos = sorted(folder.rglob("[!.]*.jpg"))
    if not photos:
        raise DataError(f"{folder}: holds no *.jpg. Give the folder into which val_256.tar or another was unpacked.")
    named = ((_name(folder, photo), photo) for photo in photos)
    return [Item(name, partial(read_photo, photo), partial(_no_truth, name), (photo,)) for name, photo in named]


def _items(folder: Path, pairs: Mapping[Path, Path]) -> list[Item]:
    """Give one item for each photo and truth, in the order of their paths."""
    if missing := sorted(truth for truth in pairs.values() if not truth.is_file()):
        raise DataError(
            f"{missing[0]}: is missing, one of {len(missing)} truths that are. Download the data set again, or take "
            "the photos out that lack one."
        )
    return [
        Item(_name(folder, photo), partial(read_photo, photo), partial(read_hdr, truth), (photo, truth))
        for photo, truth in sorted(pairs.items())
    ]


def _name(root: Path, photo: Path) -> str:
    """Name a photo by its place below the data set's folder, without what all places have in common."""
    parts = photo.relative_to(root).with_suffix("").parts
    telling = [part for part in parts if part not in {"LDR_in", "input"}]
    return "-".join(telling or [root.name])


def _no_truth(name: str) -> Hdr:
    raise DataError(f"{name}: this data set has no truth. Look at its results instead.")
