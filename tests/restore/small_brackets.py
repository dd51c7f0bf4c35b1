"""Small brackets of scenes known at every point, frames that do not belong, and how good a merge of them is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hand_held import look, record, turned, waves
from numpy.typing import NDArray

from headroom.image import Bracket, Encoding, Hdr, Photo
from headroom.metrics.merging import mu_law

SIZE = 112, 144
Scene = NDArray[np.float64]
_BLOCK_PX = 16


def wavy(seed: int) -> Scene:
    """A scene of about six stops; H x W x 3."""
    return 0.3 * look(waves(seed), *SIZE)


def hand_held_views(seed: int, count: int) -> list[Scene]:
    """What a hand-held camera sees of `wavy` in each frame; the middle frame sees it as it is."""
    generator = np.random.default_rng(seed)
    turns = [turned(*SIZE, tuple(generator.uniform(-0.4, 0.4, 3))) for _ in range(count)]
    turns[count // 2] = np.eye(3)
    return [0.3 * look(waves(seed), *SIZE, turn) for turn in turns]


def taken(scene: Scene, ev: float, seed: int, *, bits: int = 16) -> Photo:
    """Photograph a scene, with noise."""
    return coded(record(scene, 2.0**ev, seed, bits=bits), bits=bits)


def coded(light: NDArray[np.floating], *, bits: int = 16) -> Photo:
    """Round light, 1.0 = full scale, to the codes of a photo with a gamma of 2.2."""
    codes = np.rint(np.clip(light, 0, 1) ** (1 / 2.2) * (2**bits - 1))
    return Photo(codes.astype(np.uint8 if bits == 8 else np.uint16), bits, Encoding(transfer="gamma22"))


def light_of(photo: Photo) -> NDArray[np.float64]:
    """The light of a photo with a gamma of 2.2."""
    return (photo.codes / photo.top_code) ** 2.2


def bracket_of(
    scene: Scene | Sequence[Scene], evs: Sequence[float], *, seed: int = 0, bits: int = 16, reference: int | None = None
) -> Bracket:
    """Photograph a scene that stands still, or the views of one, at several exposures."""
    views = [scene] * len(evs) if isinstance(scene, np.ndarray) else scene
    photos = [taken(view, ev, seed + i, bits=bits) for i, (view, ev) in enumerate(zip(views, evs, strict=True))]
    return Bracket(tuple(photos), tuple(map(float, evs)), reference)


def reordered(bracket: Bracket, order: Sequence[int]) -> Bracket:
    """Take the frames that are named, in that order."""
    assert bracket.exposures_ev is not None
    frames, evs = (tuple(values[i] for i in order) for values in (bracket.frames, bracket.exposures_ev))
    reference = None if bracket.reference is None else list(order).index(bracket.reference)
    return Bracket(frames, evs, reference, bracket.encoding)


def replaced(bracket: Bracket, place: int, photo: Photo) -> Bracket:
    """Put another photo in the place of a frame."""
    frames = list(bracket.frames)
    frames[place] = photo
    return Bracket(tuple(frames), bracket.exposures_ev, bracket.reference, bracket.encoding)


def strangers(seed: int, ev: float) -> dict[str, Photo]:
    """Photos that have nothing to do with `wavy(seed)`."""
    generator = np.random.default_rng(seed)
    return {
        "noise": coded(generator.random((*SIZE, 3))),
        "black": coded(np.zeros((*SIZE, 3))),
        "cap": taken(np.zeros((*SIZE, 3)), 0, seed),
        "white": coded(np.ones((*SIZE, 3))),
        "grey": taken(np.full((*SIZE, 3), 0.2), 0, seed),
        "another scene": taken(wavy(seed + 1000), ev, seed),
    }


def reference_of(hdr: Hdr) -> int:
    """Number, in ascending exposure, of the frame whose framing and brightness a result has."""
    return int(hdr.provenance["frames"].index(hdr.provenance["reference"]))


def decibels(light: NDArray[np.floating], truth: NDArray[np.floating]) -> tuple[float, float]:
    """PSNR-mu of light, 1.0 = clip level of the shortest frame, and that of the worst block of 16 x 16 pixels."""
    error = ((mu_law(np.minimum(light, 1)) - mu_law(np.minimum(truth, 1))) ** 2).mean(axis=-1)
    rows, columns = (side // _BLOCK_PX for side in error.shape)
    blocks = error[: rows * _BLOCK_PX, : columns * _BLOCK_PX].reshape(rows, _BLOCK_PX, columns, _BLOCK_PX)
    return float(-10 * np.log10(error.mean())), float(-10 * np.log10(blocks.mean(axis=(1, 3)).max()))
