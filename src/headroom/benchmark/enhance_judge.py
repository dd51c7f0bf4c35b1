"""What enhanced photos are compared with: the picture that each should be.

Both are taken as sRGB codes, rounded to 8 bits as a file holds them. Nothing is fitted, since brightness is what was to
be found.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from headroom.benchmark.item import EnhanceItem
from headroom.colour.primaries import convert
from headroom.colour.transfer import decode_codes, encode
from headroom.errors import DataError, UsageError
from headroom.image import FloatImage, Hdr, Photo
from headroom.metrics.contract import Domain, Pair
from headroom.restore.unknown import unknown_region


@dataclass(frozen=True, slots=True)
class EnhanceJudge:
    """Judges enhanced photos.

    Attributes:
        truth: H x W x 3 sRGB codes in [0, 1], in steps of 1 / 255.
        unknown: H x W, where the photo shows nothing.
        base: What the results refine, in such codes; None where they refine nothing.
    """

    truth: FloatImage
    unknown: NDArray[np.bool_]
    base: FloatImage | None = None

    @property
    def no_truth(self) -> str:
        """Nothing, since every photo to enhance has a truth."""
        return ""

    def pair(self, result: Hdr | Photo, domain: Domain) -> Pair:
        """Give a result and the truth in units of `domain`."""
        if domain not in {"codes", "srgb"}:
            raise UsageError(f"{domain}: units that enhanced photos do not have. Choose other metrics.")
        return Pair(domain, self._codes(result), self.truth, mask=self.unknown, base=self.base)

    def refining(self, base: Hdr | Photo) -> EnhanceJudge:
        """Judge results that refine the picture `base`."""
        return replace(self, base=self._codes(base))

    def _codes(self, result: Hdr | Photo) -> FloatImage:
        if isinstance(result, Hdr):
            raise DataError(f"{result.source}: holds light, but enhanced photos are SDR pictures. Write it as PNG.")
        if result.codes.shape != self.truth.shape:
            sizes = f"{_size(result.codes)}, the truth {_size(self.truth)}"
            raise DataError(f"{result.source}: {sizes}. Make it anew.")
        return srgb_codes(result)


def enhance_judge(item: EnhanceItem) -> EnhanceJudge:
    """Read what is needed to judge results of a photo.

    Raises:
        DataError: Photo and truth differ in size.
        InputError: A file is damaged.
    """
    photo, truth = srgb_codes(item.photo()), srgb_codes(item.truth())
    if truth.shape != photo.shape:
        raise DataError(f"{item.name}: {_size(photo)} photo, {_size(truth)} truth. Make them alike.")
    batch = torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)[None]))
    return EnhanceJudge(truth, unknown_region(batch)[0, 0].numpy() > 0)


def srgb_codes(photo: Photo) -> FloatImage:
    """Give a photo's sRGB codes in [0, 1], rounded to 8 bits."""
    encoding = photo.encoding
    if (encoding.transfer, encoding.primaries) == ("srgb", "bt709"):
        codes = photo.codes / np.float32(photo.top_code)
    else:
        light = convert(decode_codes(photo.codes, encoding, photo.bit_depth), encoding.primaries, "bt709")
        codes = encode(np.clip(light, 0, 1), "srgb")
    return np.asarray(np.rint(codes * 255) / 255, np.float32)


def _size(picture: NDArray[np.generic]) -> str:
    return f"{picture.shape[1]} x {picture.shape[0]} px"
