"""Pictures from noise: repeatable, of any size, honest about what they are, and without a seam where they wrap."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import headroom
from headroom.errors import InsufficientMemory, UsageError
from headroom.image import Photo
from headroom.io import provenance
from headroom.restore.plan import free_memory


def draw(seed: int = 0, size_px: tuple[int, int] = (64, 32), *, panorama: bool = False, steps: int = 3) -> Photo:
    drawn = headroom.generate(method="latent_prior", seed=seed, size_px=size_px, panorama=panorama, steps=steps)
    assert isinstance(drawn, Photo)
    return drawn


def test_a_seed_is_a_picture() -> None:
    one, again, other = draw(5), draw(5), draw(6)
    np.testing.assert_array_equal(one.codes, again.codes)
    assert (one.codes != other.codes).mean() > 0.5


@pytest.mark.parametrize("size_px", [(64, 32), (33, 70), (1, 1)])
def test_a_picture_has_the_size_that_was_asked_for(size_px: tuple[int, int]) -> None:
    picture = draw(size_px=size_px, steps=1)
    assert (picture.width, picture.height) == size_px
    assert (picture.codes.dtype, picture.bit_depth) == (np.uint8, 8)


def test_a_picture_says_that_nobody_took_it() -> None:
    made = provenance.from_xmp(draw(7).metadata.xmp)
    assert made["generated"] is True
    assert (made["method"], made["seed"], made["steps"]) == ("latent_prior", 7, 3)
    assert len(made["weights_sha256"]) == 64


def steps_at_cells(codes: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean differences across the borders of cells of latents; the first is where the picture's ends meet."""
    differences = np.abs(codes.astype(float) - np.roll(codes.astype(float), 1, axis=1)).mean(axis=(0, 2))
    return np.asarray(differences[::8])


def test_a_panorama_has_no_seam() -> None:
    wrapped, cut = (draw(1, (256, 128), panorama=panorama, steps=6) for panorama in (True, False))
    seam, *others = steps_at_cells(wrapped.codes)
    assert seam < 1.5 * max(others)
    assert steps_at_cells(cut.codes)[0] > 2 * seam  # the measure sees ends that do not meet


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    headroom.generate(method="latent_prior", size_px=(32, 32), steps=4, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"prompt": "a lamp"}, "latent_prior compact reads no words"),
        ({"negative_prompt": "a lamp"}, "latent_prior compact reads no words"),
        ({"size_px": (0, 5)}, "size 0 x 5: give sides from 1 to"),
        (
            {"size_px": (60_000, 60_000)},
            r"size 60000 x 60000.* 200 million pixels",
        ),
        ({"size_px": (300, 150), "panorama": True}, r"Give 320x160"),
        ({"size_px": (64, 64), "panorama": True}, r"twice as wide as high.*Give 128x64"),
        ({"steps": 0}, "0 steps"),
        ({"seed": -1}, "seed -1"),
        ({"method": "linear"}, "linear is a method to expand. Choose one of .*latent_prior"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        headroom.generate(**{"method": "latent_prior", **options})  # type: ignore[arg-type]


@pytest.mark.skipif(free_memory() > 120 * 2**30, reason="it fits")
def test_a_picture_that_does_not_fit_is_refused_before_the_work() -> None:
    with pytest.raises(InsufficientMemory, match=r"14000 x 14000 pixels need about 127\.8 GiB"):
        draw(size_px=(14_000, 14_000))
