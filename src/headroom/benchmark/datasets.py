"""Data sets by the words that name them on the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from headroom.benchmark.enhance_sets import enhance_pair_items, lcdp_items, msec_items, sice_items
from headroom.benchmark.exposure_errors import exposure_error_items
from headroom.benchmark.item import EnhanceItem, Item
from headroom.benchmark.ntire import ntire_brackets, ntire_items
from headroom.benchmark.pairs import pair_items
from headroom.benchmark.panoramas import panorama_items, panorama_items_of_all_draws
from headroom.benchmark.photo_sets import places365_items, si_hdr_items, single_hdr_items
from headroom.benchmark.re_exposed import eye_over_items, eye_under_items
from headroom.benchmark.showing import AS_IT_IS, LEVELLED, Look
from headroom.benchmark.tiny import tiny_brackets, tiny_exposure_errors, tiny_photos
from headroom.data.bracket_sets.challenge123 import find_challenge123
from headroom.data.bracket_sets.layouts import LAYOUTS, find_scenes
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, UsageError
from headroom.metrics.contract import Verb

Items = list[Item] | list[BracketScene] | list[EnhanceItem]


@dataclass(frozen=True, slots=True)
class Kind:
    """A data set that has a name.

    Attributes:
        words: How it is named on the command line.
        verb: What is done to its items.
        holds: What they are and, for files, how they lie in their folder.
        find: Gives the items of a folder; None for one that is made without files.
    """

    words: str
    verb: Verb
    holds: str
    find: Callable[[Path], Items]


_LAYOUT_WORDS = {
    "brackets": "what `headroom data brackets` wrote: headroom-synth, the brackets",
    "kalantari": "Kalantari and Ramamoorthi 2017: SCENE/*.tif, exposure.txt, HDRImg.hdr (of crops: label.hdr)",
    "hu": "Hu et al. 2020: SCENE/input_*.tif, input_exp.txt, ref_hdr_aligned_linear.hdr; papers test on the last 15",
    "tel": "Tel et al. 2023: SCENE/*.tif, exposure.txt, HDRImg.hdr",
    "sen": "Sen et al. 2012, no truth: SCENE/*.tif and a *.txt of EV",
    "tursun": "Tursun et al. 2016, no truth: SCENE/ of photos, exposure.txt where the files do not tell",
}

KINDS = (
    Kind("tiny:photos", "expand", "4 photos of painted scenes, made on the spot", lambda _: tiny_photos()),
    Kind("tiny:brackets", "merge", "2 brackets of painted scenes, made on the spot", lambda _: tiny_brackets()),
    Kind(
        "tiny:exposure-errors",
        "enhance",
        "4 badly exposed photos of painted scenes, made on the spot",
        lambda _: tiny_exposure_errors(),
    ),
    Kind("synth:FOLDER", "expand", "headroom-synth, the photos: 96 views of HDR panoramas", panorama_items),
    Kind("synth-5:FOLDER", "expand", "480 views, synth: and four more draws of it", panorama_items_of_all_draws),
    Kind("panoramas:FOLDER", "expand", "the older name of synth:", panorama_items),
    Kind("pairs:FOLDER", "expand", "your photos, each with an HDR file of the same stem beside it", pair_items),
    Kind("hdr-real:FOLDER", "expand", "Liu et al. 2020: LDR_in/*.jpg and HDR_gt/*.hdr", single_hdr_items),
    Kind("hdr-eye:FOLDER", "expand", "HDR-Eye as Liu et al. 2020 hand it out, like hdr-real:", single_hdr_items),
    Kind("eye-over:FOLDER", "expand", "HDR-Eye taken again 2 EV brighter (Sagiri's idea)", eye_over_items),
    Kind("eye-under:FOLDER", "expand", "HDR-Eye taken again 2 EV darker (Sagiri's idea)", eye_under_items),
    Kind("si-hdr:FOLDER", "expand", "Hanji et al. 2022: input/clip_95/*.png, reference/*.exr", si_hdr_items),
    Kind("ntire:FOLDER", "expand", "NTIRE 2021 HDR: the medium frames, NNNN_medium.png, NNNN_gt.png", ntire_items),
    Kind("places365:FOLDER", "expand", "Zhou et al. 2017, no truth: *.jpg at any depth", places365_items),
    *(
        Kind(f"{name}:FOLDER", "merge", _LAYOUT_WORDS[name], partial(find_scenes, layout=layout))
        for name, layout in LAYOUTS.items()
    ),
    Kind("challenge123:FOLDER", "merge", "Kong et al. 2024: NNN_1/ldr_img_1.tif to NNN_3", find_challenge123),
    Kind("ntire-brackets:FOLDER", "merge", "NTIRE 2021 HDR: NNNN_short.png to _long, exposures.npy", ntire_brackets),
    Kind("exposure-errors:FOLDER", "enhance", "44 badly exposed views of HDR panoramas", exposure_error_items),
    Kind("enhance-pairs:FOLDER", "enhance", "your photos in input/, each as it should be in gt/", enhance_pair_items),
    Kind("msec:FOLDER", "enhance", "Afifi et al. 2021: INPUT_IMAGES/NAME_EV.JPG, GT_IMAGES or expert_c_*", msec_items),
    Kind("lcdp:FOLDER", "enhance", "Wang et al. 2022: test-input/*.png and test-gt/*.png", lcdp_items),
    Kind("sice:FOLDER", "enhance", "Cai et al. 2018: NUMBER/*.JPG and Label/NUMBER.JPG", sice_items),
)


def open_dataset(text: str) -> Items:
    """Give the items of a data set, in a fixed order: photos to expand or to enhance, or brackets to merge.

    Args:
        text: Words as in `KINDS`, with the folder's path for FOLDER.

    Raises:
        UsageError: No such kind of data set.
        DataError: The folder does not hold what its kind asks for.
    """
    kind = kind_of(text)
    folder = text.partition(":")[2]
    if kind.words != text and not Path(folder).is_dir():
        raise DataError(f"{folder}: is not a folder. Give the folder of the data set.")
    return kind.find(Path(folder))


def look_of(text: str) -> Look:
    """Say how results of a data set are shown, whose folder need not be there."""
    try:
        enhanced = kind_of(text).verb == "enhance"
    except UsageError:  # of another version
        enhanced = False
    return AS_IT_IS if enhanced else LEVELLED


def kind_of(text: str) -> Kind:
    """Give the kind of a data set, whose folder need not be there.

    Args:
        text: Words as in `KINDS`, with the folder's path for FOLDER.

    Raises:
        UsageError: No such kind of data set.
    """
    name, _, folder = text.partition(":")
    kind = next((kind for kind in KINDS if kind.words in {text, f"{name}:FOLDER"}), None)
    if kind is None or not folder:
        named = " or ".join(kind.words for kind in KINDS)
        raise UsageError(f"{text}: names no data set. Write {named}; `headroom bench datasets` tells what they are.")
    return kind
