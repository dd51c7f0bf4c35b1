"""From photos to results: the only place that knows devices, tiles and memory."""

from headroom.restore.enhance import enhance
from headroom.restore.expand import expand
from headroom.restore.generate import generate
from headroom.restore.latents import expand_latents, from_pipeline
from headroom.restore.merge import merge

__all__ = ["enhance", "expand", "expand_latents", "from_pipeline", "generate", "merge"]
