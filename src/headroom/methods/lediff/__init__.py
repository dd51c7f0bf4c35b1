"""LEDiff: exposures that nobody took, made and fused in latent space, turn one photo into HDR."""

from headroom.methods.lediff.method import METHOD

__all__ = ["METHOD"]
