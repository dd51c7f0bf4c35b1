"""Data sets of badly exposed photos and what each should be: the user's own, and those of the field as users get them.

- MSEC, which its authors call exposure-errors (Afifi et al. 2021, github.com/mahmoudnafifi/Exposure_Correction): five
  renditions of a scene, INPUT_IMAGES/NAME_EV.JPG with EV from N1.5 to P1.5, and one truth NAME.jpg by each of five
  people; most papers compare with expert C.
- LCDP (Wang et al. 2022, github.com/onpix/LCDPNet): test-input/NAME.png and test-gt/NAME.png.
- SICE (Cai et al. 2018, github.com/csjcai/SICE): the frames of a bracket, NUMBER/*.JPG, and the best of 13 fusions of
  them, Label/NUMBER.JPG. All frames are taken here; papers differ in which of them they take.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from headroom.benchmark.item import EnhanceItem
from headroom.errors import DataError
from headroom.io import read_photo
from headroom.io.formats import FORMATS

_SUFFIXES = {suffix for name in ("jpeg", "png", "webp", "tiff") for suffix in FORMATS[name].suffixes}


def enhance_pair_items(folder: Path) -> list[EnhanceItem]:
    """Give the user's own: photos in input/, and what each should be in gt/ under the same stem.

    Raises:
        DataError: There is no photo, one lacks its truth, or two have the same stem.
    """
    truths = _pictures(folder / "gt")
    return _items(folder / "input", {photo: truths.get(name) for name, photo in _pictures(folder / "input").items()})


def lcdp_items(folder: Path) -> list[EnhanceItem]:
    """Give LCDP's test split, from the folder that holds test-input.

    Raises:
        DataError: There is no photo, one lacks its truth, or two have the same stem.
    """
    inputs, truths = folder / "test-input", _pictures(folder / "test-gt")
    return _items(inputs, {photo: truths.get(name) for name, photo in _pictures(inputs).items()})


def msec_items(folder: Path) -> list[EnhanceItem]:
    """Give a split of MSEC, from the folder that holds INPUT_IMAGES: against expert C where there are experts.

    Raises:
        DataError: There is no photo, one lacks its truth, or two have the same stem.
    """
    inputs, truths = folder / "INPUT_IMAGES", _pictures(folder / "expert_c_testing_set", folder / "GT_IMAGES")
    pairs = {photo: truths.get(name.rpartition("_")[0]) for name, photo in _pictures(inputs).items()}
    return _items(inputs, pairs)


def sice_items(folder: Path) -> list[EnhanceItem]:
    """Give a part of SICE, from the folder that holds Label; items are NUMBER-FRAME.

    Raises:
        DataError: There is no photo, one lacks its truth, or two have the same stem.
    """
    truths = _pictures(folder / "Label", folder / "label")
    scenes = sorted(path for path in folder.glob("[!.]*") if path.is_dir() and path.name.lower() != "label")
    pairs = {photo: truths.get(scene.name) for scene in scenes for photo in _pictures(scene).values()}
    return _items(folder, pairs)


def _pictures(*folders: Path) -> dict[str, Path]:
    """Find the pictures of the first of these folders that is there, by their stems.

    Raises:
        DataError: Two have the same stem.
    """
    folder = next(filter(Path.is_dir, folders), folders[0])
    paths = sorted(path for path in folder.glob("[!.]*") if path.suffix.lower() in _SUFFIXES)
    by_stem = {path.stem: path for path in paths}
    if twice := [path for path in paths if by_stem[path.stem] != path]:
        raise DataError(f"{twice[0]}: another picture has the same stem. Rename one of the two.")
    return by_stem


def _items(inputs: Path, pairs: Mapping[Path, Path | None]) -> list[EnhanceItem]:
    """Give one item for each photo and truth, named by the photo's place below `inputs`."""
    if not pairs:
        raise DataError(f"{inputs}: holds no photo. Give another folder; `headroom bench datasets` says how it lies.")
    items = []
    for photo, truth in pairs.items():
        if truth is None:
            raise DataError(f"{photo}: has no truth. Add it; `headroom bench datasets` says where truths lie.")
        name = "-".join(photo.relative_to(inputs).with_suffix("").parts)
        items.append(EnhanceItem(name, partial(read_photo, photo), partial(read_photo, truth), (photo, truth)))
    return items
