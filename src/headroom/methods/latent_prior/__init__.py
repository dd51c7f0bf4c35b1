"""The small latent diffusion model that ships, drawn on by other methods and trained here."""

from headroom.methods.latent_prior.method import METHOD

__all__ = ["METHOD"]
