"""From photos to results: the only place that knows devices, tiles and memory."""

from headroom.restore.enhance import enhance
from headroom.restore.expand import expand
from headroom.restore.generate import generate
from headroom.restore.merge import merge

__all__ = ["enhance", "expand", "generate", "merge"]
