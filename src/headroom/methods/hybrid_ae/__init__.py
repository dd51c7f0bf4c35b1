"""Single-photo expansion by a hybrid autoencoder (Demirci and Dere 2025)."""

from headroom.methods.hybrid_ae.method import METHOD

__all__ = ["METHOD"]
