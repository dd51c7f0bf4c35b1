"""A study of what people prefer: blind pairs of results, in an order and on sides that a seed draws."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from headroom.benchmark.item import AnyItem
from headroom.benchmark.results import result_names
from headroom.benchmark.showing import (
    LEVELLED,
    Look,
    fitting,
    reader_of_input,
    reader_of_result,
    resized,
)
from headroom.errors import UsageError

_SIDE_PX = 900
"""Longest side of a picture: two fit a screen."""
INPUT = ""
"""What stands for the input where a method is named."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One question.

    Attributes:
        image: The image's name.
        left: Method whose result is on the left.
        right: Method whose result is on the right.
    """

    image: str
    left: str
    right: str


def draw_trials(names: Sequence[str], methods: Sequence[str], *, images: int, seed: int) -> list[Trial]:
    """Draw which pairs are shown, in which order and on which side; the same for the same seed.

    Args:
        names: Images that all methods have.
        methods: Methods.
        images: How many of the images to show; each in every pair of methods.
        seed: Seed.
    """
    chance = random.Random(seed)
    shown = sorted(chance.sample(sorted(names), min(images, len(names))))
    trials = []
    for name in shown:
        for pair in combinations(methods, 2):
            left, right = chance.sample(pair, 2)
            trials.append(Trial(name, left, right))
    chance.shuffle(trials)
    return trials


def common_names(folders: Mapping[str, Path]) -> list[str]:
    """Give the images that every folder has a result of.

    Raises:
        UsageError: Fewer than two folders, or no image is in all of them.
    """
    if len(folders) < 2:
        raise UsageError("A study compares two or more folders of results. Give another one.")
    names = set.intersection(*(result_names(folder) for folder in folders.values()))
    if not names:
        raise UsageError(f"{', '.join(map(str, folders.values()))}: have no image in common. Run all on one data set.")
    return sorted(names)


def study_pictures(
    trials: Sequence[Trial], folders: Mapping[str, Path], items: Mapping[str, AnyItem], *, look: Look = LEVELLED
) -> Iterator[tuple[tuple[str, str], bytes]]:
    """Give a JPEG for each image and method of the trials, alike in their look: as a rule in one brightness.

    Where the data set is known, the photo is shown too, as that of method `INPUT`, and gives the brightness.

    Raises:
        DataError: A photo of the data set is missing.
        InputError: A file cannot be read.
    """
    for name in dict.fromkeys(trial.image for trial in trials):
        readers = {INPUT: reader_of_input(items[name])} if name in items else {}
        readers |= {method: reader_of_result(folder, name) for method, folder in folders.items()}
        target = None
        for method, read in readers.items():
            light = read()
            light = resized(light, fitting(light.shape[:2], _SIDE_PX) if target is None else target.shape[1::-1])
            target = light if target is None else target
            yield (name, method), look.picture(light * np.float32(look.gain(light, target)))


def study_id(trials: Sequence[Trial], pictures: Mapping[tuple[str, str], bytes]) -> str:
    """Give a hash by which answers to different studies are told apart."""
    digest = hashlib.sha256(repr(trials).encode("utf-8", "surrogateescape"))
    for key in sorted(pictures):
        digest.update(pictures[key])
    return digest.hexdigest()[:16]
