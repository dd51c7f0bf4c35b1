"""The boundary to hostile files: bounded loading, bounded sizes, and no foreign exception gets out."""

from __future__ import annotations

import contextlib
import stat
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headroom.errors import CorruptFile, HeadroomError, InputError, InsufficientMemory, LimitExceeded
from headroom.io.detect import HEAD_BYTES, detect, is_camera_raw
from headroom.io.formats import FORMATS, ContainerFormat
from headroom.limits import LIMITS

if TYPE_CHECKING:
    from headroom.image import Metadata


def load(path: Path) -> tuple[ContainerFormat, bytes]:
    """Return a file's format and its bytes.

    Raises:
        InputError: There is no such file, it is not a regular one, or it cannot be opened.
        UnsupportedFormat: A kind of file that is not read.
        LimitExceeded: It is larger than its format's limit.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise InputError(f"{path}: not a file. Name an image file.")
        with path.open("rb") as handle:
            head = handle.read(HEAD_BYTES)
            container = detect(path, head)
            if status.st_size > container.max_bytes:
                raise LimitExceeded(
                    f"{path}: {status.st_size} bytes; the limit for {container.title} is {container.max_bytes}. "
                    "Reduce it first."
                )
            content = head + handle.read(container.max_bytes - len(head))
            return (FORMATS["raw"] if is_camera_raw(content) else container), content
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path}: cannot be read ({reason}). Check the name and its permissions.") from error
    except ValueError as error:
        raise InputError(f"{path!r}: not a possible file name ({error}). Rename it.") from error


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse a size that the header declares, before memory is spent on it.

    Raises:
        CorruptFile: No pixels at all.
        LimitExceeded: More pixels or a longer side than `headroom.limits` allows.
    """
    if width < 1 or height < 1:
        raise CorruptFile(f"{path}: declares an image of {width} x {height} pixels. Copy or download it again.")
    if max(width, height) > LIMITS.side_px or width * height > LIMITS.pixels:
        raise LimitExceeded(
            f"{path}: {width} x {height} pixels; the limits are {LIMITS.side_px} a side and "
            f"{LIMITS.pixels // 10**6} million in all. Reduce it first."
        )


def check_metadata(path: Path, metadata: Metadata) -> None:
    """Refuse EXIF, XMP or ICC blocks beyond `Limits.metadata_bytes`.

    Raises:
        LimitExceeded: One of them is larger.
    """
    for name, block in (("EXIF", metadata.exif), ("XMP", metadata.xmp), ("ICC", metadata.icc)):
        if block is not None and len(block) > LIMITS.metadata_bytes:
            raise LimitExceeded(
                f"{path}: an {name} block of {len(block)} bytes; the limit is {LIMITS.metadata_bytes}. Remove it first."
            )


@contextlib.contextmanager
def decoding(path: Path, container: ContainerFormat) -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into our own errors, and keep its warnings to itself.

    Decoders raise OSError, SyntaxError, OverflowError, struct.error and more: this is the edge at which they stop.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except HeadroomError:
        raise
    except MemoryError as error:
        raise InsufficientMemory(f"{path}: not enough memory to decode it. Reduce it or free memory.") from error
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise CorruptFile(
            f"{path}: the {container.title} data are damaged ({reason[:200]}). Copy or download it again."
        ) from error
