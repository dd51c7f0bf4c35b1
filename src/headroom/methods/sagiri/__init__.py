"""Repair of a badly exposed photo (Sagiri, Li et al. 2024): stage 1, Latent-SwinIRc."""

from headroom.methods.sagiri.method import METHOD

__all__ = ["METHOD"]
