"""Layouts of released latent priors: Stable Diffusion 1.x and 2.x, whole or in parts.

What is imported has the names of `LatentPrior`: `denoiser.` before those of diffusers' `UNet2DConditionModel`,
`autoencoder.` before those of its `AutoencoderKL`, and `text_encoder.` before those of transformers' `CLIPTextModel`.
"""

from __future__ import annotations

from headroom.nn.latent.keymap import older_vae_table, unet_table, vae_table
from headroom.nn.latent.keymap_text import OPEN_CLIP_LAYERS, clip_table, open_clip_table
from headroom.weights.layout import Layout, Part, Table, below, unchanged

DENOISER, AUTOENCODER, TEXT_ENCODER = "denoiser.", "autoencoder.", "text_encoder."
"""What our names of each part start with."""

LDM_IGNORED = (
    "betas", "alphas_cumprod", "sqrt_", "log_one_minus_alphas_cumprod", "posterior_", "lvlb_weights", "logvar",
    "model_ema.", "loss.", "scale_factor", "cond_stage_model.model.transformer.resblocks.23.",
    "cond_stage_model.model.text_projection", "cond_stage_model.model.logit_scale", "cond_stage_model.model.attn_mask",
    "cond_stage_model.transformer.text_model.embeddings.position_ids",
)  # fmt: skip
"""What released checkpoints hold besides: schedules, which are computed, averages in training, and unused layers."""

_MIT, _RAIL_1, _RAIL_2 = "MIT", "CreativeML Open RAIL-M", "CreativeML Open RAIL++-M"


def denoiser_part() -> Part:
    """Return the U-Net inside a checkpoint of latent diffusion."""
    return Part("U-Net", (below(DENOISER, unet_table(), "model.diffusion_model."),))


def autoencoder_part() -> Part:
    """Return the autoencoder inside a checkpoint of latent diffusion."""
    return Part("autoencoder", (below(AUTOENCODER, vae_table(), "first_stage_model."),))


def open_clip_part() -> Part:
    """Return the text encoder inside a checkpoint of Stable Diffusion 2.x."""
    return Part("text encoder", (below(TEXT_ENCODER, open_clip_table(), "cond_stage_model.model."),))


def layouts() -> tuple[Layout, ...]:
    """Return the layouts of all that a latent prior can be made of."""
    clip_1 = Part("text encoder", (below(TEXT_ENCODER, clip_table(), "cond_stage_model.transformer."),))
    unets = (below(DENOISER, unet_table(), "model.diffusion_model."), below(DENOISER, unchanged(unet_table())))
    texts = (clip_table(), clip_table(OPEN_CLIP_LAYERS))
    whole = (denoiser_part(), autoencoder_part())
    return (
        Layout("stable_diffusion_1", "Stable Diffusion 1.x", _RAIL_1, (*whole, clip_1), LDM_IGNORED),
        Layout("stable_diffusion_2", "Stable Diffusion 2.x", _RAIL_2, (*whole, open_clip_part()), LDM_IGNORED),
        Layout("unet", "U-Net of Stable Diffusion", f"{_RAIL_1} (1.x) or {_RAIL_2} (2.x)", (Part("U-Net", unets),)),
        Layout("autoencoder", "autoencoder of Stable Diffusion", f"{_RAIL_1}, {_RAIL_2} or {_MIT}",
               (Part("autoencoder", _autoencoders()),), LDM_IGNORED),
        Layout("text_encoder", "text encoder of Stable Diffusion", _MIT,
               (Part("text encoder", tuple(below(TEXT_ENCODER, table) for table in texts)),),
               ("text_model.embeddings.position_ids",)),
    )  # fmt: skip


def _autoencoders() -> tuple[Table, ...]:
    released = (below("", vae_table(), "first_stage_model."), vae_table())
    return tuple(below(AUTOENCODER, table) for table in (*released, unchanged(vae_table()), older_vae_table()))
