"""Repair of a badly exposed photo (Sagiri, Li et al. 2024): stage 1, Latent-SwinIRc, so far without weights."""
