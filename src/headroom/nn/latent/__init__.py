"""The latent prior: an autoencoder to and from latents, and a denoiser that knows what latents of photos look like.

`sagiri`, `lediff` and `gmodiff` stand on it, at the size that ships as at that of Stable Diffusion.
"""
