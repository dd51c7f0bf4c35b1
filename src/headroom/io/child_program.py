"""The program that decodes one file in a process of its own, so that a hostile file ends only that.

It is run by path, not imported, and loads nothing but the decoder. Arguments: the name of a function below, the file,
the file for the result, numbers for `_Limits`, and what the function takes. Facts go to stdout as JSON, pixels to the
result as raw little-endian values; a failure has its reason on stderr.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Facts = dict[str, Any]
TOO_LARGE_STATUS = 3


class _Limits(NamedTuple):
    """Bytes of memory before the size is known and then for each pixel, most pixels, and processor time in seconds."""

    base_bytes: int
    pixel_bytes: int
    pixels: int
    seconds: int

    def start(self) -> None:
        """Set the limits where the system has them; the parent also watches the clock."""
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            most = self.pixel_bytes * self.pixels
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (self.seconds, self.seconds))
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
            resource.setrlimit(resource.RLIMIT_AS, (self.base_bytes, self.base_bytes + most))

    def admit(self, width: int, height: int) -> None:
        """Allow what a picture of this size needs; end the process, saying why, if it is too large."""
        if not 0 < width * height <= self.pixels:
            json.dump({"size": [width, height]}, sys.stdout)
            sys.exit(TOO_LARGE_STATUS)
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            need = self.pixel_bytes * width * height
            for limit, allowed in ((resource.RLIMIT_FSIZE, need), (resource.RLIMIT_AS, self.base_bytes + need)):
                resource.setrlimit(limit, (allowed, resource.getrlimit(limit)[1]))


def exr(path: str, limits: _Limits, width: str, height: str, *channels: str) -> tuple[NDArray[Any], _Facts]:
    """Return the named channels of the first part in float32, by OpenImageIO."""
    import OpenImageIO

    limits.admit(int(width), int(height))
    OpenImageIO.attribute("threads", 2)  # every thread reserves address space
    image = OpenImageIO.ImageInput.open(path)
    if image is None:
        sys.exit(OpenImageIO.geterror())
    indices = [image.spec().channelnames.index(name) for name in channels]
    first, end = min(indices), max(indices) + 1
    pixels = image.read_image(0, 0, first, end, "float")
    if pixels is None:
        sys.exit(image.geterror())
    return pixels[..., [index - first for index in indices]], {}


def jxl(path: str, limits: _Limits, width: str, height: str, action: str) -> tuple[NDArray[Any] | None, _Facts]:
    """Return the picture as stored, upright, and its colour tags, by OpenImageIO."""
    import base64

    import OpenImageIO

    limits.admit(int(width), int(height))
    OpenImageIO.attribute("threads", 2)
    image = OpenImageIO.ImageInput.open(path)
    if image is None:
        sys.exit(OpenImageIO.geterror())
    spec = image.spec()
    profile = spec.getattribute("ICCProfile")
    facts = {
        "size": [spec.width, spec.height],
        "format": str(spec.format),
        "cicp": [int(value) for value in spec.getattribute("CICP") or ()],
        "icc": None if profile is None else base64.b64encode(bytes(profile)).decode(),
    }
    if action == "describe":
        return None, facts
    pixels = image.read_image(0, 0, 0, 3 if spec.nchannels >= 3 else 1, str(spec.format))
    if pixels is None:
        sys.exit(image.geterror())
    return pixels, facts


def avif(path: str, limits: _Limits, width: str, height: str) -> tuple[NDArray[Any], _Facts]:
    """Return the codes of the first picture, not turned, by libavif through imagecodecs."""
    from imagecodecs import avif_decode

    limits.admit(int(width), int(height))
    with open(path, "rb") as file:  # noqa: PTH123 - the fewer imports, the quicker
        return avif_decode(file.read(), index=0, numthreads=2), {}


def heif(path: str, limits: _Limits, width: str, height: str) -> tuple[NDArray[Any], _Facts]:
    """Return the codes of the primary picture, upright, by libheif through pillow-heif."""
    import numpy as np
    import pillow_heif

    limits.admit(int(width), int(height))
    pillow_heif.options.DECODE_THREADS = 1
    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    image = file[file.primary_index]
    limits.admit(*image.size)
    codes = np.asarray(image)
    bits = int(image.info["bit_depth"])
    return (codes >> (16 - bits) if codes.dtype == np.uint16 else codes), {"bit_depth": bits}


def raw(path: str, limits: _Limits, action: str) -> tuple[NDArray[Any] | None, _Facts]:
    """Return demosaiced camera RGB after white balance, 65535 = the clip level of the most amplified channel.

    By LibRaw through rawpy. Black level subtracted, not turned; the facts hold what makes linear light of it.
    """
    import rawpy

    with rawpy.imread(path) as image:
        sizes = image.sizes
        limits.admit(sizes.raw_width or sizes.width, sizes.raw_height or sizes.height)
        balance = next(
            ([float(gain) for gain in gains[:3]] for gains in (image.camera_whitebalance, image.daylight_whitebalance)
             if min(gains[:3]) > 0),
            [1.0, 1.0, 1.0],
        )  # fmt: skip
        facts = {
            "size": [sizes.width, sizes.height],
            "flip": sizes.flip,
            "colours": image.num_colors,
            "bit_depth": int(image.white_level).bit_length(),
            "balance": balance,
            "camera_to_srgb": image.color_matrix[:3, :3].tolist(),
            "xyz_to_camera": image.rgb_xyz_matrix[:3].tolist(),
        }
        if action == "describe" or image.num_colors != 3:
            return None, facts
        return image.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            adjust_maximum_thr=0,
            output_bps=16,
            output_color=rawpy.ColorSpace.raw,
            highlight_mode=rawpy.HighlightMode.Ignore,
            user_wb=[*balance, balance[1]],
            user_flip=0,
        ), facts


_DECODERS: dict[str, Callable[..., tuple[Any, _Facts]]] = {
    "exr": exr, "jxl": jxl, "avif": avif, "heif": heif, "raw": raw,
}  # fmt: skip


def _main(decoder: str, path: str, result: str, *arguments: str) -> None:
    count = len(_Limits._fields)
    limits = _Limits(*map(int, arguments[:count]))
    limits.start()
    pixels, facts = _DECODERS[decoder](path, limits, *arguments[count:])
    if pixels is not None:
        facts |= {"shape": list(pixels.shape), "dtype": pixels.dtype.str}
        with open(result, "wb") as file:  # noqa: PTH123
            file.writelines(row.tobytes() for row in pixels)
    json.dump(facts, sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
