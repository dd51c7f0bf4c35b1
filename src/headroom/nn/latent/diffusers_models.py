"""The classes of diffusers that the latent prior is made of.

Importing this file takes seconds: do so inside the functions that need it.
"""

from __future__ import annotations

from importlib.util import find_spec

from torch import nn

from headroom.nn.diffusers_alone import without_extras
from headroom.nn.latent.settings import LatentPriorSettings
from headroom.nn.stand_ins import without_stand_ins

if find_spec("torchvision"):
    from headroom.nn.torchvision_beside_cpu import import_torchvision

    import_torchvision()  # diffusers would import it too, and fail beside a torch that it was not made for.

with without_stand_ins("matplotlib", "scipy"), without_extras():
    from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, UNet2DConditionModel

__all__ = ["AutoencoderKL", "DDIMScheduler", "DDPMScheduler", "UNet2DConditionModel", "make_networks"]


def make_networks(settings: LatentPriorSettings) -> tuple[nn.Module, nn.Module]:
    """Build autoencoder and denoiser, with random weights."""
    return AutoencoderKL.from_config(dict(settings.autoencoder)), UNet2DConditionModel.from_config(
        dict(settings.denoiser)
    )
