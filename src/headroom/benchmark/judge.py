"""What results are compared with: an image's truth, in the units of every kind of metric.

Nothing but these conversions stands between a file and a metric:

- Photos: one gain each scales prediction and truth to the photo's linear light (`metrics.expansion.align`). "nits" puts
  the brightest true value at 1000 cd/m2; "codes" are Reinhard's x / (1 + x) in the sRGB curve.
- Brackets: no gain is fitted. Light above the clip level of the shortest frame is cut off, since no frame knows it.
  "nits" puts the brightest true value at 1000 cd/m2; "codes" are the mu-law of that light, as GMODiff has them.
- Where there is no truth, "nits" puts white at 203 cd/m2.
- SDR results of these are codes as they are, and no truth has their tone curve.
- Enhanced photos: see `headroom.benchmark.enhance_judge`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from headroom.benchmark.enhance_judge import enhance_judge
from headroom.benchmark.item import AnyItem, EnhanceItem, Item
from headroom.benchmark.unseen import find_unseen
from headroom.colour.primaries import convert
from headroom.colour.tone_mapping import mu_law, reinhard
from headroom.colour.transfer import decode, encode
from headroom.data.bracket_sets.scene import BracketScene
from headroom.errors import DataError, UsageError
from headroom.image import SDR_WHITE_NITS, FloatImage, Hdr, Photo
from headroom.metrics.contract import DISPLAY_PEAK_NITS, Domain, Pair
from headroom.metrics.expansion import align

SDR_RESULT = "an SDR picture, which only metrics of codes without reference take. Write its light as OpenEXR."

_BRIGHTEST = np.float32(1e30)  # far above any light, and far enough from float32's end for every conversion


class Judge(Protocol):
    """Knows one image of a data set."""

    @property
    def no_truth(self) -> str:
        """Why there is no truth; empty where there is one."""
        ...

    def pair(self, result: Hdr | Photo, domain: Domain) -> Pair:
        """Give a result, and the truth where there is one, in units of `domain`.

        Raises:
            DataError: The result has another size, or is an SDR picture where light is asked for.
            UsageError: This kind of image has no such units.
        """
        ...


class _Light(NamedTuple):
    """Prediction and truth in the same linear units."""

    prediction: FloatImage
    truth: FloatImage | None

    def each(self, function: Callable[[FloatImage], FloatImage]) -> _Light:
        return _Light(function(self.prediction), None if self.truth is None else function(self.truth))

    def nits(self, white: float) -> _Light:
        """Put the brightest true value at the display's peak; without a truth, light `white` at that of SDR."""
        unit = SDR_WHITE_NITS / white if self.truth is None else DISPLAY_PEAK_NITS / max(float(self.truth.max()), 1e-9)
        return self.each(lambda light: light * np.float32(unit))


@dataclass(frozen=True, slots=True)
class PhotoJudge:
    """Judges expanded photos.

    Attributes:
        codes: H x W x 3, the photo's code values in [0, 1].
        truth: H x W x 3 linear BT.709 of any scale.
        no_truth: Why there is none.
    """

    codes: FloatImage
    truth: FloatImage | None
    no_truth: str = ""

    def pair(self, result: Hdr | Photo, domain: Domain) -> Pair:
        """Give a result, and the truth where there is one, in units of `domain`."""
        prediction = _picture(result, self.codes.shape, domain)
        if isinstance(result, Photo):
            return Pair(domain, prediction)
        light = self._aligned(prediction)
        match domain:
            case "light":
                return Pair(domain, *light, codes=self.codes)
            case "nits":
                return Pair(domain, *light.nits(white=1.0), codes=self.codes)
            case "codes":
                return Pair(domain, *light.each(lambda x: encode(reinhard(x), "srgb")))
        raise _foreign(domain, "a photo to expand")

    def _aligned(self, prediction: FloatImage) -> _Light:
        if self.truth is None:
            return _Light(align(prediction, decode(self.codes, "srgb"), self.codes)[0], None)
        return _Light(*align(prediction, self.truth, self.codes))


@dataclass(frozen=True, slots=True)
class BracketJudge:
    """Judges merged brackets, whose unit is the white of the middle frame.

    Attributes:
        exposure: Exposure of the middle frame over that of the shortest.
        truth: H x W x 3 linear, 1.0 = clip level of the shortest frame.
        mask: H x W bool, where something moved or the middle frame is clipped.
        no_truth: Why there is no truth.
        unseen: Finds the H x W bool pixels that no frame shows; None where there is no truth to tell.
    """

    exposure: float
    truth: FloatImage | None
    mask: NDArray[np.bool_] | None
    no_truth: str = ""
    unseen: Callable[[], NDArray[np.bool_]] | None = None

    def pair(self, result: Hdr | Photo, domain: Domain) -> Pair:
        """Give a result, and the truth where there is one, in units of `domain`."""
        prediction = _picture(result, None if self.truth is None else self.truth.shape, domain)
        if isinstance(result, Photo):
            return Pair(domain, prediction)
        light = _Light(np.minimum(prediction * np.float32(1 / self.exposure), 1), self.truth)
        match domain:
            case "full-scale":
                return Pair(domain, *light, mask=self.mask)
            case "light":
                return Pair(domain, *light.each(lambda x: x * np.float32(self.exposure)))
            case "nits":
                return Pair(domain, *light.nits(white=1 / self.exposure), unseen=self.unseen)
            case "codes":
                return Pair(domain, *light.each(mu_law))
        raise _foreign(domain, "a bracket")


def judge_of(item: AnyItem) -> Judge:
    """Read what is needed to judge results of an image.

    Raises:
        DataError: Its parts do not belong together.
        InputError: A file is damaged.
    """
    match item:
        case BracketScene():
            return _bracket_judge(item)
        case EnhanceItem():
            return enhance_judge(item)
    return _photo_judge(item)


def _photo_judge(item: Item) -> PhotoJudge:
    photo = item.photo()
    codes = np.asarray(photo.codes / np.float32(photo.top_code), dtype=np.float32)
    try:
        truth = _bt709(item.truth())
    except DataError as error:
        return PhotoJudge(codes, None, str(error))
    if truth.shape != codes.shape:
        raise DataError(f"{item.name}: {_size(codes.shape)} photo, {_size(truth.shape)} truth. Make them alike.")
    return PhotoJudge(codes, truth)


def _bracket_judge(scene: BracketScene) -> BracketJudge:
    exposure = scene.reference_exposure()
    try:
        truth = np.minimum(scene.truth(), 1)
    except DataError as error:
        return BracketJudge(exposure, None, None, str(error))
    mask = scene.mask()
    if mask is not None and mask.shape != truth.shape[:2]:
        raise DataError(f"{scene.name}: {_size(mask.shape)} mask, {_size(truth.shape)} truth. Make them alike.")

    @cache
    def unseen() -> NDArray[np.bool_]:
        return find_unseen(scene.bracket(), truth * np.float32(exposure))

    return BracketJudge(exposure, truth, mask, unseen=unseen)


def _picture(result: Hdr | Photo, shape: tuple[int, ...] | None, domain: Domain) -> FloatImage:
    """Give a result's pixels after making sure that they can be had in such units."""
    if isinstance(result, Photo) and domain != "codes":
        raise DataError(f"{result.source}: {SDR_RESULT}")
    own = result.codes.shape if isinstance(result, Photo) else result.pixels.shape
    if shape is not None and own != shape:
        raise DataError(f"{result.source}: {_size(own)}, the truth {_size(shape)}. Make it anew.")
    if isinstance(result, Photo):
        return np.asarray(result.codes / np.float32(result.top_code), dtype=np.float32)
    return _bt709(result)


def _bt709(hdr: Hdr) -> FloatImage:
    return np.clip(convert(hdr.pixels, hdr.primaries, "bt709"), 0, _BRIGHTEST)


def _foreign(domain: Domain, what: str) -> UsageError:
    return UsageError(f"{domain}: units that results of {what} do not have. Choose other metrics.")


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} px"
