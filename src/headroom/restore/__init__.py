"""From photos to results: the only place that knows devices, tiles and memory."""

from headroom.restore.expand import expand

__all__ = ["expand"]
