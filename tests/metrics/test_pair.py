"""Pictures of the wrong kind or unit never reach a metric."""

from __future__ import annotations

import numpy as np
import pytest

from headroom.errors import UsageError, WeightsError
from headroom.metrics import registry
from headroom.metrics.contract import Pair

PICTURE = np.full((4, 5, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ((PICTURE * 255).astype(np.uint8), "uint8"),
        (-PICTURE, "-0.5"),
        (np.where(np.arange(3) == 1, np.float32("nan"), PICTURE), "nan"),
        (np.full_like(PICTURE, np.inf), "inf"),
        (PICTURE[..., 0], "H x W x 3"),
        (PICTURE[1:], "one size"),
    ],
)
@pytest.mark.parametrize("domain", ["light", "full-scale", "codes"])
def test_what_is_no_picture_is_refused(domain, wrong, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Pair(domain, PICTURE, wrong)
    with pytest.raises(UsageError, match=message):
        Pair(domain, wrong, PICTURE)


def test_values_beyond_the_units_are_refused() -> None:
    for domain, highest in (("full-scale", 2.0), ("codes", 1.0)):
        Pair(domain, PICTURE * 2 * highest, PICTURE)
        with pytest.raises(UsageError, match=f"allowed are 0 to {highest:g}"):
            Pair(domain, PICTURE * 2.1 * highest, PICTURE)


def test_relative_light_is_no_luminance() -> None:
    with pytest.raises(UsageError, match="cd/m2"):
        Pair("nits", PICTURE, PICTURE)
    Pair("nits", PICTURE, PICTURE * 1000)


def test_masks_are_of_bool_and_of_the_same_size() -> None:
    for mask in (np.ones((4, 4), np.bool_), np.ones((4, 5), np.uint8)):
        with pytest.raises(UsageError, match="mask"):
            Pair("full-scale", PICTURE, PICTURE, mask=mask)


@pytest.mark.parametrize(("name", "what"), [("stops", "photo"), ("psnr_mu", "truth"), ("psnr_mu_masked", "mask")])
def test_what_a_metric_needs_is_named(name: str, what: str) -> None:
    (metric,) = registry.find([name])
    truth = None if what == "truth" else PICTURE
    with pytest.raises(UsageError, match=f"{name}: needs a {what}"):
        metric.check(Pair(metric.domain, PICTURE, truth))


def test_shared_work_is_done_once() -> None:
    pair, calls = Pair("light", PICTURE), []

    def work(given: Pair) -> int:
        calls.append(given)
        return 7

    assert (pair.once(work), pair.once(work), calls) == (7, 7, [pair])


def test_what_is_not_here_says_how_to_get_it(tmp_path) -> None:
    lpips = registry.find(["lpips"])
    with pytest.raises(WeightsError, match=r"lpips.*put vgg16\.safetensors into a folder and name the folder"):
        registry.require(lpips, None)
    (tmp_path / "vgg16.safetensors").touch()
    with pytest.raises(WeightsError, match=rf"put lpips_vgg\.safetensors into {tmp_path}"):
        registry.require(lpips, tmp_path)
    (tmp_path / "lpips_vgg.safetensors").touch()
    registry.require(lpips, tmp_path)
    with pytest.raises(UsageError, match="psnr_moo: no metric"):
        registry.find(["psnr_moo"])
