"""The program that decodes one OpenEXR file in a process of its own, so that a hostile file ends only that.

It is run by path, not imported, and loads nothing but the decoder. Arguments: the file, the file for the result, the
limits of address space and of the result in bytes and of processor time in seconds, and the names of the channels. The
result is height x width x channels little-endian float32; a failure has its reason on stderr.
"""

from __future__ import annotations

import contextlib
import sys


def _limit(address_space: int, result_bytes: int, seconds: int) -> None:
    """Set the limits where the system has them; the parent also watches the clock."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (result_bytes, result_bytes))
        resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))


def _main(path: str, result: str, address_space: str, result_bytes: str, seconds: str, *channels: str) -> None:
    _limit(int(address_space), int(result_bytes), int(seconds))
    import OpenImageIO

    OpenImageIO.attribute("threads", 2)  # every thread reserves address space
    image = OpenImageIO.ImageInput.open(path)
    if image is None:
        sys.exit(OpenImageIO.geterror())
    indices = [image.spec().channelnames.index(name) for name in channels]
    first, end = min(indices), max(indices) + 1
    pixels = image.read_image(0, 0, first, end, "float")
    if pixels is None:
        sys.exit(image.geterror())
    with open(result, "wb") as file:  # noqa: PTH123 - the fewer imports, the quicker
        file.writelines(row[:, [index - first for index in indices]].astype("<f4").tobytes() for row in pixels)


if __name__ == "__main__":
    _main(*sys.argv[1:])
