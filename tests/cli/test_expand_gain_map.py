"""`headroom expand` on photos that bring a gain map or a position, from file to file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import exifread
import numpy as np
import pytest
from PIL import Image

from headroom.io import read_hdr

Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def gain_map_photo(photo: Path, run: Run, untrained_weights: Path) -> Path:
    """Return a photo that a map lifts to at least twice SDR white where its lamps are."""
    path = photo.with_name("lit.jpg")
    assert run("expand", photo, "-o", path, "--weights", untrained_weights, "--exposure", "1") == 0
    return path


def record_of(run: Run, capsys: Capture, *words: str | Path) -> dict:
    capsys.readouterr()
    assert run(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_its_own_map_comes_first_and_is_named(gain_map_photo: Path, run: Run, capsys: Capture) -> None:
    out = gain_map_photo.with_name("out.exr")
    assert run("expand", gain_map_photo, "-o", out, "--method", "linear") == 0
    assert "its own gain map is used (iso)" in capsys.readouterr().err
    hdr = read_hdr(out)
    assert hdr.pixels.max() > 1.9
    assert hdr.recovered is not None
    assert not hdr.recovered.any()
    assert hdr.provenance["gain_map"] == "used (iso)"
    record = record_of(run, capsys, "inspect", out)
    assert record["provenance"]["gain_map"] == "used (iso)"
    run("inspect", out)
    assert "gain_map used (iso)" in capsys.readouterr().out


def test_it_is_ignored_on_request(
    gain_map_photo: Path, photo: Path, run: Run, capsys: Capture, untrained_weights: Path
) -> None:
    outs = [gain_map_photo.with_name(name) for name in ("ignored.exr", "plain.exr")]
    for source, out in zip((gain_map_photo, photo), outs, strict=True):
        words = ("expand", source, "-o", out, "--weights", untrained_weights, "--ignore-gain-map")
        record = record_of(run, capsys, *words)
        assert record["gain_map"] == ("ignored (iso)" if source == gain_map_photo else "none")
    np.testing.assert_array_equal(read_hdr(outs[0]).pixels, read_hdr(outs[1]).pixels)


def test_a_damaged_map_costs_a_warning(
    gain_map_photo: Path, run: Run, capsys: Capture, untrained_weights: Path
) -> None:
    damaged = gain_map_photo.with_name("damaged.jpg")
    damaged.write_bytes(gain_map_photo.read_bytes()[:-100])
    out = damaged.with_name("out.exr")
    record = record_of(run, capsys, "expand", damaged, "-o", out, "--weights", untrained_weights)
    assert record["gain_map"] == "unreadable"
    assert any("gain map is not used" in warning for warning in record["warnings"])
    run("inspect", damaged)
    assert "unreadable" in capsys.readouterr().out


@pytest.mark.parametrize("strip", [False, True])
def test_the_position_goes_on_request(photo: Path, run: Run, strip: bool) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 22.0, 6.5)})
    with Image.open(photo) as picture:
        picture.save(photo, exif=exif, xmp=b'<rdf:RDF><a exif:GPSLatitude="47,22N" b="c"/></rdf:RDF>')
    out = photo.with_name("out.jpg")
    assert run("expand", photo, "-o", out, "--method", "linear", *(["--strip-gps"] if strip else [])) == 0
    with out.open("rb") as handle:
        tags = exifread.process_file(handle, details=False)
    assert str(tags["Image Make"]) == "A maker"
    assert any(name.startswith("GPS") for name in tags) is not strip
    with Image.open(out) as written:
        assert (b"GPSLatitude" in written.info["xmp"]) is not strip
        assert b'b="c"' in written.info["xmp"]
