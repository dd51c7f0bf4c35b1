"""The program that decodes one file in a process of its own, so that a hostile file ends only that.

It is run by path, not imported, and loads nothing but the decoder. Two ways of starting it:

- `DECODER FOLDER`, the name of a function below and a folder, decodes `image.DECODER` of the folder. Its file `request`
  is a JSON list: the values of `Limits`, then what the function takes. Facts go to the file `facts` as JSON, pixels to
  `pixels` as raw little-endian values. A failure ends with status 1 and its `reason`; what libraries print is `noise`.
- `serve DESCRIPTOR` does so for each decoder and folder that come by that socket, in a process forked for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from socket import socket

    from numpy.typing import NDArray

_Facts = dict[str, Any]
_LONGEST_REQUEST = 2**16


def command() -> list[str]:
    """Return how to start this program."""
    return [sys.executable, "-P", __file__]  # -P: its folder must not shadow the standard library


class _TooLarge(Exception):
    """More pixels than allowed; the arguments are width and height."""


class Limits(NamedTuple):
    """What a process may use.

    Attributes:
        base_bytes: Address space besides pixels.
        facts_bytes: Size of a file besides pixels.
        pixel_bytes: More of both for each pixel.
        pixels: Most pixels; nothing is allowed for them before their number is known.
        seconds: Processor time.
    """

    base_bytes: int
    facts_bytes: int
    pixel_bytes: int
    pixels: int
    seconds: int

    def start(self) -> None:
        """Set the limits where the system has them; the parent also watches the clock."""
        _limit("RLIMIT_CORE", 0, 0)
        _limit("RLIMIT_CPU", self.seconds, self.seconds + 1)
        for kind, base_bytes in self._bases():
            _limit(kind, base_bytes, base_bytes + self.pixel_bytes * self.pixels)

    def admit(self, width: int, height: int) -> None:
        """Allow what a picture of this size needs, and raise `_TooLarge` if that is too much."""
        if not 0 < width * height <= self.pixels:
            raise _TooLarge(width, height)
        for kind, base_bytes in self._bases():
            _limit(kind, base_bytes + self.pixel_bytes * width * height)

    def _bases(self) -> tuple[tuple[str, int], ...]:
        return ("RLIMIT_FSIZE", self.facts_bytes), ("RLIMIT_AS", self.base_bytes)


def _limit(kind: str, allowed: int, most: int | None = None) -> None:
    # A system may have no limits, or not this one, and the user may have set a tighter one.
    with contextlib.suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        number = getattr(resource, kind)
        resource.setrlimit(number, (allowed, resource.getrlimit(number)[1] if most is None else most))


def exr(path: str, limits: Limits, width: int, height: int, *channels: str) -> tuple[NDArray[Any], _Facts]:
    """Return the named channels of the first part in float32, by OpenImageIO."""
    import OpenImageIO

    limits.admit(width, height)
    OpenImageIO.attribute("threads", 2)  # every thread reserves address space
    image = OpenImageIO.ImageInput.open(path)
    if image is None:
        raise ValueError(OpenImageIO.geterror())
    indices = [image.spec().channelnames.index(name) for name in channels]
    first, end = min(indices), max(indices) + 1
    pixels = image.read_image(0, 0, first, end, "float")
    if pixels is None:
        raise ValueError(image.geterror())
    return pixels[..., [index - first for index in indices]], {}


def jxl(path: str, limits: Limits, width: int, height: int, action: str) -> tuple[NDArray[Any] | None, _Facts]:
    """Return the picture as stored, upright, and its colour tags, by OpenImageIO."""
    import base64

    import OpenImageIO

    limits.admit(width, height)
    OpenImageIO.attribute("threads", 2)
    image = OpenImageIO.ImageInput.open(path)
    if image is None:
        raise ValueError(OpenImageIO.geterror())
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
        raise ValueError(image.geterror())
    return pixels, facts


def avif(path: str, limits: Limits, width: int, height: int) -> tuple[NDArray[Any], _Facts]:
    """Return the codes of the first picture, not turned, by libavif through imagecodecs."""
    from imagecodecs import avif_decode

    limits.admit(width, height)
    with open(path, "rb") as file:  # noqa: PTH123 - the fewer imports, the quicker
        return avif_decode(file.read(), index=0, numthreads=2), {}


def heif(path: str, limits: Limits, width: int, height: int) -> tuple[NDArray[Any], _Facts]:
    """Return the codes of the primary picture, upright, by libheif through pillow-heif."""
    import numpy as np
    import pillow_heif

    limits.admit(width, height)
    pillow_heif.options.DECODE_THREADS = 1
    file = pillow_heif.open_heif(path, convert_hdr_to_8bit=False)
    image = file[file.primary_index]
    limits.admit(*image.size)
    codes = np.asarray(image)
    bits = int(image.info["bit_depth"])
    return (codes >> (16 - bits) if codes.dtype == np.uint16 else codes), {"bit_depth": bits}


def raw(path: str, limits: Limits, action: str) -> tuple[NDArray[Any] | None, _Facts]:
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
            "black_levels": image.black_level_per_channel[:3],
            "white_level": int(image.white_level),
            "linear_limits": (image.camera_white_level_per_channel or [])[:3],
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
# What their processes find loaded when they are forked.
_LIBRARIES = {
    "exr": "OpenImageIO",
    "jxl": "OpenImageIO",
    "avif": "imagecodecs:avif_decode",
    "heif": "pillow_heif",
    "raw": "rawpy",
}


def _run(decoder: str, folder: str) -> int:
    """Decode the file of a folder, leave the results beside it and return the exit status."""
    noise = os.open(f"{folder}/noise", os.O_WRONLY | os.O_CREAT)
    os.dup2(noise, sys.stdout.fileno())
    os.dup2(noise, sys.stderr.fileno())
    os.close(noise)
    try:
        _decode(decoder, folder)
    except Exception as error:  # the edge of the process
        with open(f"{folder}/reason", "w", encoding="utf-8") as file:  # noqa: PTH123 - the fewer imports, the quicker
            file.write(str(error).strip() or type(error).__name__)
        return 1
    return 0


def _decode(decoder: str, folder: str) -> None:
    with open(f"{folder}/request", encoding="utf-8") as file:  # noqa: PTH123
        values, *arguments = json.load(file)
    limits = Limits(*values)
    limits.start()
    try:
        pixels, facts = _DECODERS[decoder](f"{folder}/image.{decoder}", limits, *arguments)
    except _TooLarge as error:
        pixels, facts = None, {"size": error.args}
    if pixels is not None:
        facts |= {"shape": list(pixels.shape), "dtype": pixels.dtype.str}
        with open(f"{folder}/pixels", "wb") as file:  # noqa: PTH123
            file.writelines(row.tobytes() for row in pixels)
    with open(f"{folder}/facts", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(facts, file)


def _serve(descriptor: int) -> None:
    """Fork a process for each request until the other end of the socket is closed, then end with all of them.

    A request brings a socket: its caller's, which gets the exit status. A caller that hangs up ends its process.
    """
    import select
    import signal
    import socket

    control = socket.socket(fileno=descriptor)
    running: dict[socket.socket, _Job] = {}  # by each of its two sockets
    while True:
        for ready in select.select([control, *running], [], [])[0]:
            if ready is control:
                request, callers, _, _ = socket.recv_fds(control, _LONGEST_REQUEST, 1)
                if not request:
                    os.killpg(0, signal.SIGKILL)
                caller = socket.socket(fileno=callers[0])
                decoder, folder = json.loads(request)
                job = _fork(caller, decoder, folder, [control, *running])
                running[job.caller] = running[job.ended] = job
            elif ready in running:
                job = running[ready]
                del running[job.caller], running[job.ended]
                os.kill(job.process, signal.SIGKILL)  # changes nothing for one that has ended
                status = os.waitstatus_to_exitcode(os.waitpid(job.process, 0)[1])
                with job.ended, job.caller, contextlib.suppress(OSError):
                    job.caller.sendall(b"%d" % status)


class _Job(NamedTuple):
    """A process that decodes, the socket of its caller, and one that becomes readable when it ends."""

    process: int
    caller: socket
    ended: socket


def _fork(caller: socket, decoder: str, folder: str, foreign: list[socket]) -> _Job:
    """Start a process that has none of these sockets."""
    import pkgutil
    import socket

    with contextlib.suppress(ImportError):  # the new process will raise it again
        for library in ("numpy", _LIBRARIES[decoder]):
            pkgutil.resolve_name(library)
    ended, alive = socket.socketpair()
    with alive:
        pid = os.fork()
        if pid == 0:
            for each in (caller, ended, *foreign):
                each.close()
            os._exit(_run(decoder, folder))
    return _Job(pid, caller, ended)


def main(*arguments: str) -> None:
    """Serve, or decode and end."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # more would start at import, and a fork leaves them behind
    if arguments[0] == "serve":
        _serve(int(arguments[1]))
    else:
        sys.exit(_run(*arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
