"""Gain maps in AVIF and HEIC files, put together here box by box around pictures of the libraries' encoders."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from makers import box, full_box
from numpy.typing import NDArray
from test_gain_map_photos import MAKER_NOTES, apple_exif, apple_light, apple_xmp, light, maker_note

from headroom.image import GainMap
from headroom.io import read_photo
from headroom.io.gain_map_metadata import to_iso
from headroom.io.isobmff import first
from headroom.io.item_file import ItemFile

BASE, MAP, EXIF, XMP, TONE_MAP = 1, 2, 3, 4, 5
KINDS = {"avif": (b"av01", b"av1C"), "heic": (b"hvc1", b"hvcC")}


def encoded(codes: NDArray[np.uint8], suffix: str) -> bytes:
    if suffix == "avif":
        return bytes(imagecodecs.avif_encode(codes, level=100))
    pillow_heif = pytest.importorskip("pillow_heif")
    stream = BytesIO()
    pillow_heif.from_bytes("RGB", codes.shape[1::-1], codes.tobytes()).save(stream, quality=-1, chroma=444)
    return stream.getvalue()


def still_file(
    suffix: str,
    base: NDArray[np.uint8],
    gain_map: NDArray[np.uint8],
    *,
    others: dict[int, tuple[bytes, bytes]],
    references: list[tuple[bytes, int, tuple[int, ...]]],
    quarters: int = 0,
    hdr_primaries: int = 0,
) -> bytes:
    """Return a file of a picture and its map, turned alike, with further items by number: kind and content.

    The code point of the HDR image's primaries goes to the tone map, but for 0.
    """
    kind, configuration = KINDS[suffix]
    pictures = {BASE: ItemFile.of(encoded(base, suffix)), MAP: ItemFile.of(encoded(gain_map, suffix))}
    items = {number: (kind, file.data(file.primary)) for number, file in pictures.items()} | others
    properties = []
    for number, codes in ((BASE, base), (MAP, gain_map)):
        properties += [
            full_box(b"ispe", struct.pack(">II", codes.shape[1], codes.shape[0])),
            box(configuration, bytes(first(pictures[number].properties(pictures[number].primary), configuration))),
        ]
    auxiliary = full_box(b"auxC", b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
    matrix = 0 if suffix == "avif" else 6
    colours = box(b"colr", struct.pack(">4sHHHB", b"nclx", 1, 13, matrix, 0x80))
    turn = box(b"irot", bytes([quarters]))
    hdr_colours = box(b"colr", struct.pack(">4sHHHB", b"nclx", hdr_primaries, 16, 0, 0x80))
    used = [(BASE, (1, 2, 6, 0x87)), (MAP, (3, 4, 5, 6, 0x87))] + ([(TONE_MAP, (8,))] if hdr_primaries else [])
    ipma = b"".join(struct.pack(">HB", number, len(indices)) + bytes(indices) for number, indices in used)

    def meta(start: int) -> bytes:
        places, at = [], start
        for number, (_, data) in items.items():
            places.append(struct.pack(">HHHII", number, 0, 1, at, len(data)))
            at += len(data)
        types = {b"mime": b"application/rdf+xml\0"}
        entries = [
            full_box(b"infe", struct.pack(">HH4s", number, 0, kind), b"\0", types.get(kind, b""), version=2)
            for number, (kind, _) in items.items()
        ]
        links = [box(kind, struct.pack(f">HH{len(to)}H", source, len(to), *to)) for kind, source, to in references]
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", struct.pack(">H", BASE)),
            full_box(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)), *places),
            full_box(b"iinf", struct.pack(">H", len(items)), *entries),
            full_box(b"iref", *links),
            box(
                b"iprp",
                box(b"ipco", *properties, auxiliary, colours, turn, hdr_colours),
                full_box(b"ipma", struct.pack(">I", len(used)), ipma),
            ),
        )

    brand = suffix.encode()
    ftyp = box(b"ftyp", brand, bytes(4), brand, b"mif1", b"miaf")
    content = b"".join(data for _, data in items.values())
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", content)


def flat(side: int, code: int) -> NDArray[np.uint8]:
    return np.full((side, side, 3), code, np.uint8)


def apple_heic(map_code: int, xmp: bytes, note: bytes) -> bytes:
    others = {EXIF: (b"Exif", bytes(4) + apple_exif(note)), XMP: (b"mime", xmp)}
    references = [(b"cdsc", EXIF, (BASE,)), (b"cdsc", XMP, (MAP,)), (b"auxl", MAP, (BASE,))]
    return still_file("heic", flat(128, 188), flat(64, map_code), others=others, references=references)


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_iso_21496(tmp_path: Path, suffix: str) -> None:
    stated = GainMap(flat(64, 128), minimum=(-0.5,) * 3, maximum=(2.5, 2.0, 1.5), alternate_headroom=2.25)
    others = {TONE_MAP: (b"tmap", b"\0" + to_iso(stated))}
    references = [(b"dimg", TONE_MAP, (BASE, MAP))]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(still_file(suffix, flat(128, 188), flat(64, 128), others=others, references=references))
    photo = read_photo(path)
    assert photo.codes.shape == (128, 128, 3)
    assert (photo.gain_map_problem, photo.gain_map is None) == (None, False)
    assert photo.gain_map is not None
    assert (photo.gain_map.standard, photo.gain_map.codes.shape[:2]) == ("iso", (64, 64))
    gain = -0.5 + (np.array([2.5, 2.0, 1.5]) + 0.5) * 128 / 255
    expected = (((188 / 255 + 0.055) / 1.055) ** 2.4 + 1 / 64) * 2**gain - 1 / 64
    np.testing.assert_allclose(light(photo)[5:-5, 5:-5], np.broadcast_to(expected, (118, 118, 3)), rtol=0.015)


# ITU-R BT.2087, from linear BT.709 to BT.2020; its inverse leads back.
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_gains_in_other_primaries(tmp_path: Path, suffix: str) -> None:
    stated = GainMap(flat(64, 255), maximum=(2.0, 1.5, 1.8), alternate_headroom=2.0, gain_primaries="bt2020")
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(
        still_file(
            suffix,
            flat(128, 188),
            flat(64, 255),
            others={TONE_MAP: (b"tmap", b"\0" + to_iso(stated))},
            references=[(b"dimg", TONE_MAP, (BASE, MAP))],
            hdr_primaries=9,
        )
    )
    grey = ((188 / 255 + 0.055) / 1.055) ** 2.4
    lifted = (grey + 1 / 64) * 2 ** np.array(stated.maximum) - 1 / 64
    expected = np.linalg.solve(TO_BT2020, lifted)
    assert (np.abs(expected / lifted - 1) > 0.05).any()
    np.testing.assert_allclose(light(read_photo(path)), np.broadcast_to(expected, (128, 128, 3)), rtol=0.015)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_picture_and_map_are_turned_alike(tmp_path: Path, suffix: str, quarters: int) -> None:
    base, gain_map = flat(128, 60), flat(64, 60)
    base[:64, :64] = gain_map[:32, :32] = 200
    numbers = b"\0" + to_iso(GainMap(gain_map))
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(
        still_file(
            suffix,
            base,
            gain_map,
            others={TONE_MAP: (b"tmap", numbers)},
            references=[(b"dimg", TONE_MAP, (BASE, MAP))],
            quarters=quarters,
        )
    )
    photo = read_photo(path)
    assert photo.gain_map is not None
    for found, stored in ((photo.codes, base), (photo.gain_map.codes, gain_map)):
        np.testing.assert_allclose(found.reshape(stored.shape), np.rot90(stored, quarters).astype(int), atol=3)


@pytest.mark.parametrize(("headroom", "gain", "stops"), MAKER_NOTES)
def test_apple_heic_with_a_maker_note(tmp_path: Path, headroom: float, gain: float | None, stops: float) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(apple_heic(200, apple_xmp(None), maker_note(headroom, gain)))
    photo = read_photo(path)
    assert photo.gain_map is not None
    assert photo.gain_map.standard == "apple"
    assert photo.gain_map.alternate_headroom == pytest.approx(stops, abs=1e-5)
    np.testing.assert_allclose(light(photo), apple_light(188, 200, 2**stops), rtol=0.015)


def test_apple_heic_with_a_stated_headroom(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(apple_heic(128, apple_xmp(4.532783), maker_note(1.5, 0)))
    np.testing.assert_allclose(light(read_photo(path)), apple_light(188, 128, 4.532783), rtol=0.015)


def test_a_map_without_numbers_costs_no_photo(tmp_path: Path) -> None:
    path = tmp_path / "a.avif"
    others, references = {TONE_MAP: (b"tmap", b"\0\0\1")}, [(b"dimg", TONE_MAP, (BASE, MAP))]
    path.write_bytes(still_file("avif", flat(128, 188), flat(64, 128), others=others, references=references))
    photo = read_photo(path)
    assert photo.gain_map is None
    assert photo.gain_map_problem is not None
