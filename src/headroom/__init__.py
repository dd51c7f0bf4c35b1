"""Give a photograph back the dynamic range that its 8 bits lost.

>>> import headroom
>>> photo = headroom.read_photo("photo.jpg")  # doctest: +SKIP
>>> headroom.write_hdr(headroom.expand(photo), "photo.exr")  # doctest: +SKIP

Names are loaded when they are first used, so that importing this package loads neither torch nor a method.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from headroom._version import __version__
from headroom.errors import HeadroomError

if TYPE_CHECKING:
    from headroom import methods
    from headroom.image import Bracket, GainMap, Hdr, Photo
    from headroom.io import read, read_hdr, read_photo, write_hdr, write_photo, write_preview
    from headroom.io.bracket import read_bracket
    from headroom.io.convert import convert
    from headroom.restore import enhance, expand, expand_latents, from_pipeline, generate, merge
    from headroom.restore.video import Steady
else:
    _HOME = {
        "Bracket": "headroom.image",
        "GainMap": "headroom.image",
        "Hdr": "headroom.image",
        "Photo": "headroom.image",
        "Steady": "headroom.restore.video",
        "convert": "headroom.io.convert",
        "enhance": "headroom.restore",
        "expand": "headroom.restore",
        "expand_latents": "headroom.restore",
        "from_pipeline": "headroom.restore",
        "generate": "headroom.restore",
        "merge": "headroom.restore",
        "read": "headroom.io",
        "read_bracket": "headroom.io.bracket",
        "read_hdr": "headroom.io",
        "read_photo": "headroom.io",
        "write_hdr": "headroom.io",
        "write_photo": "headroom.io",
        "write_preview": "headroom.io",
    }

    def __getattr__(name: str) -> object:
        """Load a public name from the module that defines it, once."""
        if name == "methods":  # the import itself sets the attribute
            return import_module("headroom.methods")
        if name not in _HOME:
            raise AttributeError(f"module 'headroom' has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(_HOME[name]), name)
        return value


__all__ = [
    "Bracket",
    "GainMap",
    "Hdr",
    "HeadroomError",
    "Photo",
    "Steady",
    "__version__",
    "convert",
    "enhance",
    "expand",
    "expand_latents",
    "from_pipeline",
    "generate",
    "merge",
    "methods",
    "read",
    "read_bracket",
    "read_hdr",
    "read_photo",
    "write_hdr",
    "write_photo",
    "write_preview",
]


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
