"""OpenEXR: attributes, channels and primaries, against files that OpenImageIO writes and reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO
import pytest
from numpy.typing import NDArray

import colour
from headroom.colour.primaries import convert
from headroom.errors import CorruptFile, UnsupportedFormat
from headroom.image import FloatImage, Hdr
from headroom.io import describe, exr_header, read_hdr, write_hdr
from headroom.io.convert import convert as convert_file
from headroom.io.options import WriteOptions


def save(path: Path, pixels: NDArray[np.float32], names: tuple[str, ...], **attributes: object) -> Path:
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], pixels.shape[2], "float")
    spec.channelnames = names
    for name, value in attributes.items():
        if name == "tile":
            spec.tile_width = spec.tile_height = value
        elif name == "origin":
            spec.x, spec.y = value
        else:
            spec.attribute(name, "float[8]" if isinstance(value, tuple) else "string", value)
    output = OpenImageIO.ImageOutput.create("any.exr")
    assert output.open(str(path), spec)
    assert output.write_image(np.ascontiguousarray(pixels))
    output.close()
    return path


def test_attributes(tmp_path: Path, light: FloatImage) -> None:
    provenance = {"method": "linear", "options": {"exposure_ev": 1.5}, "seed": 7}
    write_hdr(Hdr(light, "p3", provenance=provenance), tmp_path / "a.exr")
    spec = OpenImageIO.ImageInput.open(str(tmp_path / "a.exr")).spec()
    p3 = colour.RGB_COLOURSPACES["P3-D65"]
    assert spec.getattribute("whiteLuminance") == 203
    np.testing.assert_allclose(spec.getattribute("chromaticities"), [*p3.primaries.ravel(), *p3.whitepoint], atol=1e-6)
    assert spec.getattribute("headroom:method") == "linear"
    assert spec.getattribute("headroom:options") == '{"exposure_ev": 1.5}'
    assert spec.getattribute("headroom:seed") == "7"
    assert spec.getattribute("compression") == "zip"
    assert spec.channelnames == ("R", "G", "B")


def test_recovered_channel(tmp_path: Path, light: FloatImage) -> None:
    mask = np.linspace(0, 1, light[..., 0].size, dtype=np.float32).reshape(light.shape[:2])
    write_hdr(Hdr(light, recovered=mask), tmp_path / "a.exr")
    result = read_hdr(tmp_path / "a.exr")
    assert np.array_equal(result.recovered, mask.astype(np.float16).astype(np.float32))
    write_hdr(Hdr(light, recovered=mask), tmp_path / "b.exr", options=WriteOptions(recovered=False))
    assert read_hdr(tmp_path / "b.exr").recovered is None
    assert np.array_equal(read_hdr(tmp_path / "b.exr").pixels, result.pixels)


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz"])
@pytest.mark.parametrize("layout", [{}, {"tile": 16}, {"origin": (-7, 5)}])
def test_every_lossless_file_is_exact(
    tmp_path: Path, light: FloatImage, compression: str, layout: dict[str, object]
) -> None:
    path = save(tmp_path / "a.exr", light, ("R", "G", "B"), compression=compression, **layout)
    assert np.array_equal(read_hdr(path).pixels, light)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_smallest_sizes(tmp_path: Path, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).random((*shape, 3), np.float32)
    write_hdr(Hdr(pixels), tmp_path / "a.exr", options=WriteOptions(half=False))
    assert np.array_equal(read_hdr(tmp_path / "a.exr").pixels, pixels)


def test_luminance_alone_is_grey(tmp_path: Path, light: FloatImage) -> None:
    path = save(tmp_path / "a.exr", light[..., :1], ("Y",))
    assert np.array_equal(read_hdr(path).pixels, np.repeat(light[..., :1], 3, axis=2))


def test_layer_and_alpha(tmp_path: Path, light: FloatImage) -> None:
    layers = np.dstack([light[..., :1], light])
    path = save(tmp_path / "a.exr", layers, ("depth.Z", "beauty.R", "beauty.G", "beauty.B"))
    assert np.array_equal(read_hdr(path).pixels, light)
    assert read_hdr(path).left_out == ("depth.Z",)
    assert convert_file(path, tmp_path / "b.exr").notes == (
        "what the file holds besides its picture is left out: depth.Z",
    )
    assert convert_file(tmp_path / "b.exr", tmp_path / "c.exr").notes == ()
    path = save(tmp_path / "b.exr", np.dstack([light, light[..., :1]]), ("R", "G", "B", "A"))
    assert np.array_equal(read_hdr(path).pixels, light)


def test_other_channels_are_refused_by_name(tmp_path: Path, light: FloatImage) -> None:
    path = save(tmp_path / "a.exr", light[..., :2], ("U", "V"))
    with pytest.raises(UnsupportedFormat, match="U, V"):
        read_hdr(path)


@pytest.mark.parametrize(
    ("space", "primaries"),
    [("ACES2065-1", "prophoto"), ("ACEScg", "bt2020"), ("DCI-P3", "p3"), ("PAL/SECAM", "p3"), ("ROMM RGB", "prophoto")],
)
def test_other_primaries_become_wider_ones(tmp_path: Path, space: str, primaries: str) -> None:
    """All colours of BT.2020 stay, or of the space itself where that is narrower."""
    source = colour.RGB_COLOURSPACES[space]
    bt2020, bt709 = (colour.RGB_COLOURSPACES[name] for name in ("ITU-R BT.2020", "ITU-R BT.709"))
    surfaces = np.random.default_rng(2).random((40, 7, 3)) ** 4
    inside = bt2020 if primaries != "p3" else source
    pixels = colour.RGB_to_RGB(surfaces, inside, source, chromatic_adaptation_transform="Bradford").astype(np.float32)
    stated = (*source.primaries.ravel().tolist(), *source.whitepoint.tolist())
    path = save(tmp_path / "a.exr", pixels, ("R", "G", "B"), chromaticities=stated)
    hdr = read_hdr(path)
    assert (hdr.primaries, describe(path).encoding.primaries) == (primaries, primaries)
    expected = colour.RGB_to_RGB(surfaces, inside, bt709, chromatic_adaptation_transform="Bradford")
    assert expected.min() < 0
    np.testing.assert_allclose(convert(hdr.pixels, hdr.primaries, "bt709"), expected, rtol=2e-3, atol=5e-3)


@pytest.mark.parametrize("stated", [(0.0,) * 8, (float("nan"),) * 8, (0.3, 0.3) * 4])
def test_impossible_primaries_count_as_bt709(tmp_path: Path, light: FloatImage, stated: tuple[float, ...]) -> None:
    path = save(tmp_path / "a.exr", light, ("R", "G", "B"), chromaticities=stated)
    assert np.array_equal(read_hdr(path).pixels, light)


def test_header_that_differs_from_the_decoders_view(
    tmp_path: Path, light: FloatImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent's parser and the child's library must agree on the size, whatever the file does to either."""
    path = save(tmp_path / "a.exr", light, ("R", "G", "B"))
    true_header = exr_header.parse(path, path.read_bytes())
    smaller = exr_header.ExrHeader(true_header.width - 1, true_header.height, true_header.channels, None)
    monkeypatch.setattr(exr_header, "parse", lambda *_: smaller)
    with pytest.raises(CorruptFile):
        read_hdr(path)


def test_description_reads_no_pixels(tmp_path: Path, light: FloatImage) -> None:
    path = save(tmp_path / "a.exr", light, ("R", "G", "B"))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert (describe(path).width, describe(path).height, describe(path).bit_depth) == (19, 11, 32)
    with pytest.raises(CorruptFile):
        read_hdr(path)
