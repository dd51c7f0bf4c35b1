"""What a metric is, and what it is given: two pictures whose units are stated, so that nothing has to be guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from headroom.errors import UsageError
from headroom.image import FloatImage

Direction = Literal["higher", "lower"]
"""Which way is better."""

Verb = Literal["expand", "merge", "enhance"]
"""What a result was made to do; a metric is defined for those of some verbs."""

Domain = Literal["light", "full-scale", "nits", "codes", "srgb"]
"""Units of a picture:

- light: linear, 1.0 = white of the photo, or of the middle frame of a bracket;
- full-scale: linear, 1.0 = clip level of the shortest frame of a bracket, which no value passes far;
- nits: linear, cd/m2 as a display shows it, the brightest true value at `DISPLAY_PEAK_NITS`;
- codes: code values of an SDR picture in [0, 1];
- srgb: the same of an enhanced photo, in sRGB, rounded to 8 bits as a file holds them.
"""

DISPLAY_PEAK_NITS = 1000.0
"""Light of the brightest true value on the display that absolute metrics assume, in cd/m2."""

_HIGHEST = {"light": np.inf, "full-scale": 2.0, "nits": np.inf, "codes": 1.0, "srgb": 1.0}
_VERBS: dict[Domain, tuple[Verb, ...]] = {
    "light": ("expand", "merge"),
    "full-scale": ("merge",),
    "nits": ("expand", "merge"),
    "codes": ("expand", "merge", "enhance"),
    "srgb": ("enhance",),
}
_DARKEST_PEAK_NITS = 5.0
"""A truth that is nowhere brighter than this is in other units than cd/m2."""

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A picture to judge, and what it should be.

    Attributes:
        domain: Units of both pictures.
        prediction: H x W x 3 float, BT.709 primaries, finite and >= 0.
        truth: The same of the scene; None where it is not known.
        codes: H x W x 3, code values in [0, 1] of the photo that the prediction was made from.
        mask: H x W bool, pixels that masked metrics are about.
        base: The picture that the prediction refines, in the same units; None where it refines none.
        unseen: Finds the H x W bool pixels that no frame of a bracket shows; None where it is no bracket.

    Raises:
        UsageError: Pictures of other units, of a wrong type, or of sizes that differ.
    """

    domain: Domain
    prediction: FloatImage
    truth: FloatImage | None = None
    codes: FloatImage | None = None
    mask: NDArray[np.bool_] | None = None
    base: FloatImage | None = None
    unseen: Callable[[], NDArray[np.bool_]] | None = None
    _found: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        pictures = {"prediction": self.prediction, "truth": self.truth, "codes": self.codes, "base": self.base}
        for name, picture in pictures.items():
            if picture is not None:
                _check(picture, name, self.prediction.shape, 1.0 if name == "codes" else _HIGHEST[self.domain])
        if self.mask is not None and (self.mask.shape != self.prediction.shape[:2] or self.mask.dtype != np.bool_):
            raise UsageError(f"mask {self.mask.shape} of {self.mask.dtype}. Give an H x W mask of bool.")
        if self.domain == "nits" and self.truth is not None and self.truth.max() < _DARKEST_PEAK_NITS:
            raise UsageError(f"truth: at most {self.truth.max():g} cd/m2, which no display shows. Scale it to cd/m2.")

    @property
    def known_truth(self) -> FloatImage:
        """The truth, for a metric that needs one."""
        if self.truth is None:
            raise UsageError("This metric compares with a truth, and there is none. Choose metrics without reference.")
        return self.truth

    @property
    def known_codes(self) -> FloatImage:
        """The photo's codes, for a metric that needs them."""
        if self.codes is None:
            raise UsageError("This metric asks what the photo clips, and there is no photo. Choose another metric.")
        return self.codes

    @property
    def known_mask(self) -> NDArray[np.bool_]:
        """The mask, for a metric that is about a part of the picture."""
        if self.mask is None:
            raise UsageError("This metric is about a part of the picture, and there is no mask. Choose another metric.")
        return self.mask

    @property
    def known_unseen(self) -> NDArray[np.bool_]:
        """What no frame shows, for a metric of how well it is guessed."""
        if self.unseen is None:
            raise UsageError("This metric is about what no frame of a bracket shows, and there is no bracket.")
        return self.unseen()

    @property
    def known_base(self) -> FloatImage:
        """The picture that the prediction refines, for a metric of what it changed."""
        if self.base is None:
            raise UsageError("This metric compares with what was refined, and that is not known. Add --against.")
        return self.base

    def once(self, work: Callable[[Pair], _Found]) -> _Found:
        """Give what `work` finds in this pair; all metrics that share the work have it done once."""
        if work not in self._found:
            self._found[work] = work(self)
        found: _Found = self._found[work]
        return found


Measure = Callable[[Pair], float]
"""Gives a number; nan where it is undefined, inf where the pictures are the same and there is no limit."""

Features = Callable[[Pair], NDArray[np.float64]]
"""Gives what is gathered of one pair for a metric of a whole set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric.

    Attributes:
        id: Unique name in files and on the command line.
        name: Name for a person.
        direction: Whether more or less is better.
        domain: Units that it is defined for.
        unit: Unit of its values; empty for a plain number.
        limits: Smallest and largest possible value; the better one is that of identical pictures.
        source: Paper, or what else defines it.
        open: Makes it ready, given the folder of the models that it names.
        compares: False for one that looks at the prediction alone.
        symmetric: True when prediction and truth can change places.
        takes: What else than pictures it needs; one that takes a mask, a base or frames is undefined where it lacks
            them.
        packages: Packages that it imports beyond Headroom's own.
        models: Files that the user has to bring, in one folder.
        usual: True for one that is cheap enough to be computed unasked.
        combine: For a metric of a whole set, makes the number of what `open` gathers of each pair.
    """

    id: str
    name: str
    direction: Direction
    domain: Domain
    unit: str
    limits: tuple[float, float]
    source: str
    open: Callable[[Path], Measure | Features]
    compares: bool = True
    symmetric: bool = False
    takes: Literal["pictures", "codes", "mask", "base", "frames"] = "pictures"
    packages: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    usual: bool = False
    combine: Callable[[Sequence[NDArray[np.float64]]], float] | None = None

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Verbs whose results it is defined for."""
        only: dict[str, tuple[Verb, ...]] = {"codes": ("expand",), "frames": ("merge",)}
        return only.get(self.takes, _VERBS[self.domain])

    def check(self, pair: Pair) -> None:
        """Refuse a pair that the metric is not defined for.

        Raises:
            UsageError: Other units, or no truth, photo, mask, base or bracket where it needs one.
        """
        if pair.domain != self.domain:
            raise UsageError(f"{self.id}: is defined for {self.domain}, not for {pair.domain}. Convert the pictures.")
        lacks = [
            what
            for what, needed, there in (
                ("truth", self.compares, pair.truth),
                ("photo", self.takes == "codes", pair.codes),
                ("mask", self.takes == "mask", pair.mask),
                ("base", self.takes == "base", pair.base),
                ("bracket", self.takes == "frames", pair.unseen),
            )
            if needed and there is None
        ]
        if lacks:
            raise UsageError(f"{self.id}: needs a {lacks[0]}, and there is none. Choose another metric.")


def plain(measure: Measure) -> Callable[[Path], Measure]:
    """Open a metric that needs no model."""
    return lambda _models: measure


def _check(picture: FloatImage, name: str, shape: tuple[int, ...], highest: float) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or not np.issubdtype(picture.dtype, np.floating):
        raise UsageError(f"{name}: {picture.dtype} of shape {picture.shape}. Give H x W x 3 floats.")
    if picture.shape != shape:
        raise UsageError(f"{name} {picture.shape}, prediction {shape}. Give pictures of one size.")
    # A NaN passes neither comparison.
    if not (picture.min() >= 0 and picture.max() <= highest and picture.max() < np.inf):
        raise UsageError(
            f"{name}: values from {picture.min():g} to {picture.max():g}, allowed are 0 to {highest:g}. Convert it."
        )
