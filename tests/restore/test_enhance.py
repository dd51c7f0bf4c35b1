"""The promises of an enhanced photo, for any photo and any weights."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from painters import painter
from pictures import flat_photo, light_to_srgb, noisy_photo, srgb_to_light

import headroom
from headroom.colour.icc import profile_for
from headroom.colour.transfer import decode_codes
from headroom.errors import InputError, UsageError, WeightsError
from headroom.image import Encoding, GainMap, Metadata, Photo, TransferName
from headroom.io import provenance
from headroom.methods import load
from headroom.methods.contract import EnhanceInput
from headroom.restore.picture import as_picture
from headroom.restore.recolour import recolour, reduced
from headroom.restore.stages import choose_stages
from headroom.weights.writer import pack

TABLE = (np.linspace(0, 1, 257, dtype=np.float32) ** 2.6 + np.linspace(0, 1, 257, dtype=np.float32)) / 2
ENCODINGS = [
    Encoding(),
    Encoding("adobe-rgb", "adobe-rgb"),
    Encoding("prophoto", "gamma18"),
    Encoding("bt2020", "linear"),
    Encoding("p3", None, TABLE),
]


def write_weights(path: Path, *, scale: float) -> Path:
    """Write weights of the compact first stage; with 0, the network leaves photos as they are."""
    torch.manual_seed(3)
    method = load("sagiri")
    network = method.build(method.presets["compact"].settings)
    for name, parameter in network.named_parameters():
        if name.startswith("conv_last") and scale:
            torch.nn.init.normal_(parameter, std=scale)
    pack(network.state_dict(), path, {})
    return path


@pytest.fixture(scope="session")
def leaving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "leaving.safetensors", scale=0)


@pytest.fixture(scope="session")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "wild.safetensors", scale=0.3)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda encoding: f"{encoding.primaries}-{encoding.transfer}")
@pytest.mark.parametrize(("bit_depth", "width"), [(8, 41), (16, 41), (16, 800)])
def test_a_network_that_leaves_photos_alone_returns_them(
    leaving: Path, encoding: Encoding, bit_depth: int, width: int
) -> None:
    codes = noisy_photo(1, 30, width, 0.1, bit_depth=bit_depth).codes
    metadata = Metadata(icc=b"any") if encoding.transfer is None else Metadata()
    photo = Photo(codes, bit_depth, encoding, metadata=metadata)
    result = headroom.enhance(photo, weights=leaving)
    assert (result.codes.dtype, result.bit_depth, result.encoding) == (codes.dtype, bit_depth, encoding)
    # Curves but for sRGB's cousins go to light and back in floats.
    most = 0 if bit_depth == 8 else 1
    assert np.abs(result.codes.astype(int) - codes).max() <= most


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    encoding=st.sampled_from(ENCODINGS[:-1]),
    bit_depth=st.sampled_from([8, 10, 16, 32]),
)
def test_any_photo_and_any_weights_give_a_photo(
    wild: Path, seed: int, height: int, width: int, encoding: Encoding, bit_depth: int
) -> None:
    photo = replace(noisy_photo(seed, height, width, 0.2, bit_depth=bit_depth), encoding=encoding)
    result = headroom.enhance(photo, weights=wild)
    assert result.codes.shape == photo.codes.shape
    assert result.bit_depth == (8 if bit_depth == 8 else 16)
    assert result.codes.dtype == (np.uint8 if bit_depth == 8 else np.uint16)
    assert result.codes.tobytes() == headroom.enhance(photo, weights=wild).codes.tobytes()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("size", [(40, 50), (200, 300)])
def test_what_is_no_colour_becomes_one(value: float, size: tuple[int, int]) -> None:
    def spoil(inputs: EnhanceInput) -> torch.Tensor:
        spoilt = inputs.encoded.clone()
        spoilt[:, 1, 3:9] = value
        return spoilt

    photo = noisy_photo(2, *size, 0.1)
    result = recolour(photo, painter(spoil, *size), lambda _: None)
    height = size[0] // 2
    assert np.abs(result.codes[height:].astype(int) - photo.codes[height:]).max() <= 1


@pytest.mark.parametrize("bit_depth", [8, 16])
@pytest.mark.parametrize("size", [(60, 90), (301, 499)])
def test_a_curve_is_followed_at_any_size_and_depth(bit_depth: int, size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[0], : size[1]] / max(size)
    smooth = np.stack((0.05 + 0.4 * y, 0.1 + 0.3 * x, 0.1 + 0.2 * x * y), -1)
    codes = np.rint(smooth * (2**bit_depth - 1)).astype(np.uint8 if bit_depth == 8 else np.uint16)
    told: list[float] = []
    result = recolour(Photo(codes, bit_depth), painter(lambda inputs: inputs.encoded**0.6, *size), told.append)
    error = result.codes / (2**bit_depth - 1) - (codes / (2**bit_depth - 1)) ** 0.6
    assert np.abs(error).max() < 0.012
    # Finer tones than those of 8 bits stay apart.
    assert len(np.unique(result.codes)) > (1000 if bit_depth == 16 else 50)
    assert told == sorted(told) and told[-1] == 1


def test_colours_that_networks_do_not_know_survive() -> None:
    codes = np.zeros((40, 40, 3), np.uint8)
    codes[..., 1] = 255  # a green far outside of BT.709
    codes[:, 20:] = 90
    photo = Photo(codes, 8, Encoding("bt2020", "srgb"))
    np.testing.assert_array_equal(recolour(photo, painter(lambda x: x.encoded, 40, 40), print).codes, codes)


@pytest.mark.parametrize("cell", [1, 3, 7])
def test_cells_are_means_in_full_precision(cell: int) -> None:
    photo = noisy_photo(4, 21, 42, 0.1, bit_depth=16)
    expected = (photo.codes / 65_535).reshape(21 // cell, cell, 42 // cell, cell, 3).mean((1, 3))
    np.testing.assert_allclose(reduced(photo, cell), expected, atol=1e-6)
    assert reduced(noisy_photo(4, 20, 40, 0.1), cell).shape == (-(-20 // cell), -(-40 // cell), 3)


def test_metadata_stay_and_say_how_the_photo_was_made(leaving: Path) -> None:
    icc = profile_for(Encoding("p3", "srgb"))
    metadata = Metadata(exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", icc=icc)
    photo = replace(
        flat_photo(20, 30, 90),
        encoding=Encoding("p3", "srgb"),
        metadata=metadata,
        original=b"bytes",
        orientation=6,
        gain_map=GainMap(np.zeros((4, 4), np.uint8)),
        source=Path("a.jpg"),
    )
    result = headroom.enhance(photo, weights=leaving, seed=5)
    assert (result.metadata.exif, result.metadata.icc, result.source) == (metadata.exif, icc, photo.source)
    assert (result.original, result.gain_map, result.orientation) == (None, None, 1)
    made = provenance.from_xmp(result.metadata.xmp)
    assert (made["method"], made["preset"], made["seed"]) == ("sagiri", "compact", 5)
    assert (made["mask"], made["made_up_share"]) == ("none", 0)
    assert len(made["weights_sha256"]) == 64
    again = headroom.enhance(result, weights=leaving)
    assert provenance.from_xmp(again.metadata.xmp)["source"] == made


def test_an_expand_method_stands_in_for_the_first_stage() -> None:
    photo = Photo((noisy_photo(3, 60, 80, 0.05).codes // 4 + 4).astype(np.uint8), 8)
    result = headroom.enhance(photo, stage1="linear")
    light = srgb_to_light(result.codes / 255) @ [0.2126, 0.7152, 0.0722]
    before = srgb_to_light(photo.codes / 255) @ [0.2126, 0.7152, 0.0722]
    dim = light < 0.15  # what tone mapping leaves alone
    gain = 0.18 / np.exp(np.log(before).mean())
    np.testing.assert_allclose(light[dim], gain * before[dim], rtol=0.1)
    made = provenance.from_xmp(result.metadata.xmp)
    assert (made["method"], made["preset"], made["weights_sha256"]) == ("linear", "default", None)


def test_camera_raw_is_developed_with_white_highlights() -> None:
    matrix = np.array([[1.6, -0.4, -0.2], [-0.2, 1.5, -0.3], [0.0, -0.5, 1.5]]) * [1.9, 1.0, 1.5]
    matrix /= matrix.sum(axis=1).min()
    white = np.linalg.inv(matrix).sum(axis=1)
    codes = np.concatenate((np.ones((8, 8, 3)), np.full((8, 8, 3), 0.2) * white), axis=1).astype(np.float32)
    encoding = Encoding("bt2020", "linear", sensor_matrix=tuple(map(tuple, matrix.tolist())))
    picture = as_picture(Photo(codes, 32, encoding, container="raw"))
    assert (picture.bit_depth, picture.encoding) == (16, Encoding("bt709", "srgb"))
    assert (picture.codes[:, :8] >= 65_500).all()
    np.testing.assert_allclose(picture.codes[:, 8:] / 65_535, light_to_srgb(np.array(0.2)), atol=2e-3)


def test_a_curve_that_no_file_can_name_becomes_srgb() -> None:
    photo = Photo(noisy_photo(1, 20, 20, 0).codes, 8, Encoding("bt709", None, TABLE))
    picture = as_picture(photo)
    assert (picture.bit_depth, picture.encoding) == (8, Encoding("bt709", "srgb"))
    expected = 255 * light_to_srgb(decode_codes(photo.codes, photo.encoding, 8))
    assert np.abs(picture.codes - expected).max() <= 0.51


@pytest.mark.parametrize("transfer", ["pq", "hlg"])
def test_hdr_photos_are_refused(transfer: TransferName) -> None:
    photo = replace(flat_photo(4, 4, 100), encoding=Encoding("bt2020", transfer), source=Path("film.avif"))
    with pytest.raises(InputError, match=rf"film.avif: is HDR \({transfer}\).*Tone-map it first"):
        headroom.enhance(photo)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"steps": 0}, "0 steps: give 1 to 1000"),
        ({"steps": 1001}, "1001 steps"),
        ({"strength": -0.1}, "strength -0.1: give a number from 0"),
        ({"strength": float("nan")}, "strength nan"),
        ({"guidance": float("inf")}, "guidance inf"),
        ({"seed": -1}, "seed -1"),
        ({"mask": "white"}, "mask 'white': give none, auto"),
        ({"prompt": "a sky"}, "a prompt steers what is made up"),
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "lf_diff"}, "lf_diff is a method to merge. Choose one of .*sagiri"),
        ({"method": "linear"}, "linear is a method to expand"),
        ({"stage1": "debevec"}, "debevec is a method to merge. Choose one of .*hybrid_ae"),
        ({"preset": "huge"}, "sagiri has no preset 'huge'; it has compact"),
        ({"refine_only": True}, "refining only needs a mask"),
        ({"stage1": "none"}, "refining only needs a mask"),
        ({"refine_only": True, "stage1": "linear"}, "linear has no place"),
        ({"preset": "compact", "stage1": "linear"}, "is a first stage"),
        ({"stage1": "linear", "weights": Path("a.safetensors")}, "a.safetensors means nothing to it"),
        ({"refine_weights": Path("a.safetensors")}, "nothing is made up, so a preset or weights"),
        ({"mask": "auto", "refine_preset": "paper"}, "makes content up by refine, refine_paper, not 'paper'"),
        ({"mask": "auto", "preset": "refine", "weights": Path("a"), "refine_weights": Path("b")}, "given twice"),
        ({"mask": "auto", "preset": "refine_paper", "refine_preset": "refine"}, "given twice"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        headroom.enhance(flat_photo(8, 8, 100), **options)  # type: ignore[arg-type]


def test_each_stage_has_its_own_preset_and_weights() -> None:
    choose = partial(choose_stages, "sagiri", weights=Path("a"), stage1=None, refine_only=False, is_masked=True)
    both = choose("paper", refine_preset="refine_paper", refine_weights=Path("b"))
    chosen = [(stage.preset, stage.weights) for stage in (both.first, both.second) if stage]
    assert chosen == [("paper", Path("a")), ("refine_paper", Path("b"))]
    usual = choose(None, refine_weights=Path("b"))
    chosen = [(stage.preset, stage.weights) for stage in (usual.first, usual.second) if stage]
    assert chosen == [("compact", Path("a")), ("refine", Path("b"))]


def test_weights_of_another_network_are_refused(compact_weights: Path) -> None:
    with pytest.raises(WeightsError):
        headroom.enhance(flat_photo(8, 8, 100), weights=compact_weights)


@pytest.mark.slow
def test_nothing_unknown_means_nothing_made_up(tmp_path: Path) -> None:
    method = load("sagiri")
    pack(method.build(method.presets["refine"].settings).state_dict(), tmp_path / "refine.safetensors", {})
    photo = flat_photo(30, 40, 100)
    result = headroom.enhance(
        photo, mask="auto", preset="refine", refine_only=True, weights=tmp_path / "refine.safetensors"
    )
    np.testing.assert_array_equal(result.codes, photo.codes)
    made = provenance.from_xmp(result.metadata.xmp)
    assert (made["mask"], made["made_up_share"], made["preset"], made["steps"]) == ("auto", 0, "refine", 30)


def test_a_mask_without_weights_is_an_error_that_says_so() -> None:
    if not load("sagiri").presets["refine"].weights:
        with pytest.raises(WeightsError, match="No weights ship for sagiri refine"):
            headroom.enhance(flat_photo(8, 8, 100), mask="auto", stage1="linear")
