"""Photos that were enhanced as files, and what they are compared with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headroom.benchmark.datasets import open_dataset
from headroom.benchmark.enhance_judge import enhance_judge, srgb_codes
from headroom.benchmark.infer import Inference, infer
from headroom.benchmark.item import EnhanceItem
from headroom.benchmark.making import choose_way
from headroom.benchmark.measure import Meter
from headroom.benchmark.score import score
from headroom.errors import DataError, UsageError
from headroom.image import Encoding, Hdr, Metadata, Photo
from headroom.io import provenance, read_photo
from headroom.methods import load
from headroom.metrics import registry
from headroom.weights.writer import pack

SIZE = (40, 56)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return random weights of sagiri's first stage."""
    torch.manual_seed(0)
    method = load("sagiri")
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    pack(method.build(method.presets["compact"].settings).state_dict(), path, {})
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Return two dark photos, one of them a JPEG and one of 16 bits, beside what they should be."""
    generator = np.random.default_rng(0)
    for name in ("input", "gt"):
        (tmp_path / name).mkdir()
    for name in ("a.jpg", "b.png"):
        truth = generator.integers(60, 250, (*SIZE, 3)).astype(np.uint8)
        Image.fromarray(truth).save(tmp_path / "gt" / f"{name[0]}.png")
        Image.fromarray(truth // 4).save(tmp_path / "input" / name)
    return tmp_path


def run(pairs: Path, out: Path, method: str = "input", **options) -> list[Inference]:
    way = choose_way(method, **options)
    return list(infer(way, open_dataset(f"enhance-pairs:{pairs}"), out, dataset="pairs"))


def record(out: Path) -> dict:
    return json.loads((out / "run.json").read_text())


def test_the_floor_is_the_photo_in_png(pairs: Path, tmp_path: Path) -> None:
    assert run(pairs, tmp_path / "out") == [("a", "done", ""), ("b", "done", "")]
    for name, photo in (("a", "a.jpg"), ("b", "b.png")):
        with Image.open(tmp_path / "out" / f"{name}.png") as picture:
            assert (picture.format, picture.mode) == ("PNG", "RGB")
            np.testing.assert_array_equal(np.asarray(picture), read_photo(pairs / "input" / photo).codes)
    found = record(tmp_path / "out")
    assert (found["method"], found["weights_sha256"], found["parameters"]) == ("input", None, 0)


def test_a_network_is_recorded_with_its_weights_and_size(pairs: Path, tmp_path: Path, weights: Path) -> None:
    assert [each.status for each in run(pairs, tmp_path / "out", "sagiri", weights=weights)] == ["done", "done"]
    found = record(tmp_path / "out")
    assert (found["method"], found["preset"], found["options"]) == ("sagiri", "compact", {})
    assert len(found["weights_sha256"]) == 64
    assert 2e6 < found["parameters"] < 3e6
    assert [each.status for each in run(pairs, tmp_path / "out", "sagiri", weights=weights)] == ["exists", "exists"]
    with pytest.raises(UsageError, match="holds results of sagiri compact"):
        run(pairs, tmp_path / "out", "sagiri", weights=weights, mask="auto")


def test_options_are_part_of_a_way_and_of_its_name(tmp_path: Path) -> None:
    way = choose_way("sagiri", mask="auto", steps=7)
    assert way.options == {"mask": "auto", "steps": 7}
    assert choose_way("sagiri").options == {}


def test_stages_count_together() -> None:
    """As `headroom.enhance` labels a photo that two networks worked on."""
    stages = [{"method": "sagiri", "preset": "compact", "weights_sha256": letter * 64} for letter in "ab"]
    packet = provenance.into_xmp(None, {"headroom": "1", **stages[1], "stages": stages})
    made = choose_way("sagiri", mask="auto").made_by(Photo(grey(1).codes, 8, metadata=Metadata(xmp=packet)))
    assert made["weights_sha256"] == f"{'a' * 64}+{'b' * 64}"
    settings = load("sagiri").presets["compact"].settings
    assert made["parameters"] == 2 * sum(each.numel() for each in load("sagiri").build(settings).parameters())


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("input", {"mask": "auto"}, "input: leaves photos as they are"),
        ("input", {"preset": "compact"}, "input: leaves photos as they are"),
        ("linear", {"mask": "auto"}, "linear: a method to expand, which knows no mask"),
        ("sagiri", {"steps": 5}, "5 steps: nothing is made up without a mask"),
        ("latent_prior", {}, "latent_prior: part of other methods"),
        ("sagiri", {"preset": "huge"}, "sagiri has no preset 'huge'"),
    ],
)
def test_what_means_nothing_is_refused(method: str, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_way(method, **options)


def test_another_verb_is_refused(pairs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="linear: a method to expand, but the data set is there to enhance"):
        run(pairs, tmp_path / "out", "linear")
    with pytest.raises(UsageError, match="input: a method to enhance, but the data set is there to expand"):
        list(infer(choose_way("input"), open_dataset("tiny:photos"), tmp_path / "out", dataset="tiny"))


def item(photo: Photo, truth: Photo) -> EnhanceItem:
    return EnhanceItem("one", lambda: photo, lambda: truth)


def grey(code: int, size: tuple[int, int] = SIZE) -> Photo:
    return Photo(np.full((*size, 3), code, np.uint8), 8)


def test_pictures_are_compared_as_8_bit_srgb_whatever_holds_them() -> None:
    codes = np.random.default_rng(0).integers(0, 256, (6, 7, 3)).astype(np.uint8)
    np.testing.assert_array_equal(srgb_codes(Photo(codes, 8)), (codes / 255).astype(np.float32))
    sixteen = Photo(np.minimum(codes * 257.0 + 100, 65535).astype(np.uint16), 16)
    np.testing.assert_array_equal(srgb_codes(sixteen), srgb_codes(Photo(codes, 8)))
    # A linear file holds the light of these codes: IEC 61966-2-1.
    light = np.where(codes / 255 <= 0.04045, codes / 255 / 12.92, ((codes / 255 + 0.055) / 1.055) ** 2.4)
    linear = Photo(light.astype(np.float32), 32, Encoding(transfer="linear"))
    np.testing.assert_array_equal(srgb_codes(linear), srgb_codes(Photo(codes, 8)))


def test_what_is_blown_or_crushed_is_unknown() -> None:
    codes = np.full((*SIZE, 3), 128, np.uint8)
    codes[:10] = 255
    codes[10:14] = 3
    codes[14:18] = (255, 255, 200)  # blue still shows something
    judge = enhance_judge(item(Photo(codes, 8), grey(100)))
    expected = np.zeros(SIZE, np.bool_)
    expected[:14] = True
    np.testing.assert_array_equal(judge.pair(grey(7), "srgb").mask, expected)


def test_results_that_cannot_be_compared_say_why() -> None:
    judge = enhance_judge(item(grey(10), grey(100)))
    with pytest.raises(DataError, match="holds light"):
        judge.pair(Hdr(np.ones((*SIZE, 3), np.float32)), "srgb")
    with pytest.raises(DataError, match="8 x 9 px, the truth 56 x 40 px"):
        judge.pair(grey(1, (9, 8)), "srgb")
    with pytest.raises(UsageError, match="light: units that enhanced photos do not have"):
        judge.pair(grey(1), "light")
    with pytest.raises(DataError, match="one: 56 x 40 px photo, 8 x 9 px truth"):
        enhance_judge(item(grey(10), grey(100, (9, 8))))


def test_refined_pictures_are_compared_with_what_they_refine(pairs: Path, tmp_path: Path) -> None:
    run(pairs, tmp_path / "stage1")
    (tmp_path / "refined").mkdir()
    for path in (tmp_path / "stage1").glob("*.png"):
        codes = np.asarray(Image.open(path)).copy()
        codes[3, 4, 1] += 5
        Image.fromarray(codes).save(tmp_path / "refined" / path.name)
    items, meter = open_dataset(f"enhance-pairs:{pairs}"), Meter(registry.find(["known_change", "psnr"]))
    folders = [tmp_path / "refined"]
    found = list(score(folders, items, meter, against=tmp_path / "stage1"))
    assert [each.readings.values["known_change"] for each in found] == [pytest.approx(5, abs=1e-3)] * 2
    assert all(np.isnan(each.readings.values["known_change"]) for each in score(folders, items, meter))
    with pytest.raises(UsageError, match="only enhanced photos are refined"):
        list(score(folders, open_dataset("tiny:photos"), meter, against=tmp_path))
