"""Profiles against LittleCMS (through Pillow), and by round trip; damaged ones are refused quietly."""

from __future__ import annotations

import io
import struct
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from headroom.colour.icc import encoding_from_profile, profile_for
from headroom.colour.primaries import convert
from headroom.colour.transfer import POWER_CURVES, decode_codes, encode
from headroom.errors import UsageError
from headroom.image import Encoding, Primaries, TransferName

PRIMARIES: tuple[Primaries, ...] = get_args(Primaries)
SRGB = ImageCms.createProfile("sRGB")
PHOTO = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)


def tag_range(profile: bytes, name: bytes) -> tuple[int, int]:
    entry = profile.index(name, 128)
    offset, size = struct.unpack_from(">II", profile, entry + 4)
    return offset, offset + size


def with_curves(*tags: bytes, primaries: Primaries = "bt709") -> bytes:
    """Return a profile with these red, green and blue curve tags, appended to one that we make."""
    profile = bytearray(profile_for(Encoding(primaries, "srgb")))
    for name, tag in zip((b"rTRC", b"gTRC", b"bTRC"), tags, strict=True):
        struct.pack_into(">II", profile, profile.index(name, 128) + 4, len(profile), len(tag))
        profile += tag + bytes(-len(tag) % 4)
    struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def sampled(values: np.ndarray) -> bytes:
    return struct.pack(">4s4xI", b"curv", len(values)) + np.rint(values * 65535).astype(">u2").tobytes()


def parametric(kind: int, *values: float) -> bytes:
    return struct.pack(f">4s4xHxx{len(values)}i", b"para", kind, *(round(value * 65536) for value in values))


def to_srgb_by_littlecms(profile: bytes) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    # Without the cache-friendly 8-bit shortcuts, which are a code off by themselves.
    flags = ImageCms.Flags.NOOPTIMIZE | ImageCms.Flags.HIGHRESPRECALC
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, SRGB, "RGB", "RGB", renderingIntent=intent, flags=flags)
    return np.asarray(ImageCms.applyTransform(Image.fromarray(PHOTO), transform))


def to_srgb_by_us(encoding: Encoding) -> np.ndarray:
    light = convert(decode_codes(PHOTO, encoding, 8), encoding.primaries, "bt709")
    return np.clip(encode(light, "srgb"), 0, 1) * 255


def assert_agrees_with_littlecms(profile: bytes) -> Encoding:
    encoding = encoding_from_profile(profile)
    assert encoding is not None
    # Half a code is the rounding of theirs; the rest is disagreement.
    np.testing.assert_allclose(to_srgb_by_us(encoding), to_srgb_by_littlecms(profile), atol=0.5 + 0.25)
    return encoding


@pytest.mark.parametrize("primaries", PRIMARIES)
@pytest.mark.parametrize("transfer", POWER_CURVES)
def test_our_profiles_come_back_and_mean_the_same_to_littlecms(primaries: Primaries, transfer: TransferName) -> None:
    profile = profile_for(Encoding(primaries, transfer))
    encoding = assert_agrees_with_littlecms(profile)
    assert encoding.primaries == primaries
    assert encoding.transfer == transfer


def test_littlecms_own_profile_is_srgb() -> None:
    assert encoding_from_profile(ImageCms.ImageCmsProfile(SRGB).tobytes()) == Encoding("bt709", "srgb")


def test_colorants_are_those_of_adobes_published_profile() -> None:
    profile = profile_for(Encoding("adobe-rgb", "adobe-rgb"))
    start, end = tag_range(profile, b"rXYZ")
    published = [0.60974, 0.31111, 0.01947]
    np.testing.assert_allclose(np.array(struct.unpack(">3i", profile[start + 8 : end])) / 65536, published, atol=1e-4)


X = np.linspace(0, 1, 1024)
SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (struct.pack(">4s4xI", b"curv", 0), "linear"),
        (struct.pack(">4s4xIH", b"curv", 1, 0x0233), "adobe-rgb"),
        (sampled(np.where(X <= 0.04045, X / 12.92, ((X + 0.055) / 1.055) ** 2.4)), "srgb"),  # as in HP's sRGB profile
        (sampled(X**1.8), "gamma18"),
        (parametric(0, 2.2), "gamma22"),
        (parametric(1, 2.2, 1, 0), "gamma22"),
        (parametric(2, 1.8, 1, 0, 0), "gamma18"),
        (parametric(3, *SRGB_PARAMETERS), "srgb"),
        (parametric(4, *SRGB_PARAMETERS, 0, 0), "srgb"),
        (parametric(0, 2.4), None),
        (parametric(1, 2.4, 1.1, -0.1), None),
        (parametric(2, 2.4, 0.85, 0.05, 0.1), None),
        (parametric(4, 2.4, 0.9, 0.05, 0.1, 0.1, 0.05, 0.0481), None),
        (sampled(X**3), None),
    ],
)
def test_curve_types(tag: bytes, name: TransferName | None) -> None:
    encoding = assert_agrees_with_littlecms(with_curves(tag, tag, tag, primaries="p3"))
    assert (encoding.primaries, encoding.transfer) == ("p3", name)
    assert encoding.table is None if name else encoding.table.shape == (2**16,)


def test_different_curves_per_channel_become_a_table_of_three() -> None:
    encoding = assert_agrees_with_littlecms(with_curves(parametric(0, 2.0), parametric(0, 2.2), parametric(0, 2.6)))
    assert encoding.table is not None
    assert encoding.table.shape == (2**16, 3)


@pytest.mark.parametrize(
    "tag",
    [
        b"",
        b"curv",
        struct.pack(">4s4xI", b"curv", 2**32 - 1),
        struct.pack(">4s4xI", b"curv", 1000) + bytes(20),
        sampled(np.linspace(1, 0, 100)),
        sampled(np.full(100, 0.5)),
        parametric(5, 1, 1, 1, 1, 1, 1, 1),
        parametric(1, 2.2, 0, 1),
        parametric(0, -2.2),
        b"mft2" + bytes(100),
    ],
)
def test_unusable_curves_are_not_expressed(tag: bytes) -> None:
    assert encoding_from_profile(with_curves(tag, tag, tag)) is None


def changed(offset: int, content: bytes) -> bytes:
    profile = profile_for(Encoding())
    return profile[:offset] + content + profile[offset + len(content) :]


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(b"", id="empty"),
        pytest.param(changed(16, b"GRAY"), id="grey"),
        pytest.param(changed(16, b"CMYK"), id="cmyk"),
        pytest.param(changed(12, b"link"), id="device link"),
        pytest.param(changed(20, b"Lab "), id="lab"),
        pytest.param(changed(36, b"xxxx"), id="no signature"),
        pytest.param(changed(128, b"\xff\xff\xff\xff"), id="four billion tags"),
        pytest.param(changed(132, b"A2B0"), id="look-up table"),
        pytest.param(changed(136, b"\x7f\xff\xff\xff"), id="tag outside"),
        pytest.param(profile_for(Encoding())[:-50], id="cut"),
    ],
)
def test_what_an_encoding_cannot_express_is_none(profile: bytes) -> None:
    assert encoding_from_profile(profile) is None


def test_unknown_primaries_are_none() -> None:
    profile = bytearray(profile_for(Encoding()))
    start, end = tag_range(bytes(profile), b"rXYZ")
    profile[start:end] = struct.pack(">4s4x3i", b"XYZ ", *(round(x * 65536) for x in (0.7977, 0.2880, 0.0)))  # ProPhoto
    assert encoding_from_profile(bytes(profile)) is None


@pytest.mark.parametrize(("code", "name"), [(16, "pq"), (18, "hlg")])
def test_cicp_names_the_hdr_curves(code: int, name: TransferName) -> None:
    profile = bytearray(profile_for(Encoding("bt2020", "srgb")))
    entry = profile.index(b"cprt", 128)
    struct.pack_into(">4sII", profile, entry, b"cicp", len(profile), 12)
    profile += struct.pack(">4s4x4B", b"cicp", 9, code, 0, 1)
    assert encoding_from_profile(bytes(profile)) == Encoding("bt2020", name)


@pytest.mark.parametrize("encoding", [Encoding(transfer="pq"), Encoding(transfer="hlg"), Encoding(transfer=None)])
def test_curves_without_white_have_no_matrix_profile(encoding: Encoding) -> None:
    with pytest.raises(UsageError, match="CICP"):
        profile_for(encoding)


@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8), st.integers(0, 600))
def test_damage_never_raises(changes: list[tuple[int, int]], length: int) -> None:
    profile = bytearray(profile_for(Encoding()))
    for offset, value in changes:
        profile[offset % len(profile)] = value
    for candidate in (bytes(profile), bytes(profile[:length])):
        result = encoding_from_profile(candidate)
        assert result is None or np.isfinite(decode_codes(PHOTO, result, 8)).all()
