"""The released GMODiff in miniature: made, saved and run by diffusers and peft, as its own program does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headroom.methods.gmodiff.regressor import Regression
from headroom.methods.gmodiff.regressors import build_regressor
from headroom.methods.gmodiff.settings import DaRegSettings, RefinerSettings
from headroom.nn.latent.schedule import BETAS
from headroom.nn.latent.settings import STABLE_DIFFUSION_2, LatentPriorSettings

WIDTH = 12
SCALE = 0.18215
"""What latents of Stable Diffusion are multiplied by."""
REGRESSOR = DaRegSettings((4, 8, 8, 8, 8), mask_channels=4)
"""All layers of the released regressor, with few channels."""
SETTINGS = RefinerSettings(
    REGRESSOR,
    LatentPriorSettings(
        {**STABLE_DIFFUSION_2.autoencoder, "block_out_channels": (4, 8, 16, 16), "norm_num_groups": 2},
        {
            **STABLE_DIFFUSION_2.denoiser,
            "block_out_channels": (4, 8, 16, 16),
            "norm_num_groups": 2,
            "attention_head_dim": 2,
            "cross_attention_dim": WIDTH,
        },
    ),
)


class Skip(nn.Module):
    """What brings features of the encoder to the decoder."""

    def __init__(self, channels: int, wanted: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, wanted, 1, bias=False)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, wanted), nn.ReLU(), nn.Linear(wanted, wanted))


class Projection(nn.Module):
    """What makes tokens of the mask and of the regressor's features."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.mask_encoder = nn.Sequential(
            nn.PixelUnshuffle(8),
            *(nn.Conv2d(64, WIDTH // 4, 3, 2, 1), nn.BatchNorm2d(WIDTH // 4), nn.ReLU()),
            *(nn.Conv2d(WIDTH // 4, WIDTH, 3, 2, 1), nn.BatchNorm2d(WIDTH), nn.ReLU()),
        )
        self.mlp = nn.Sequential(nn.Linear(WIDTH + features, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU())


class Released(nn.Module):
    """The whole of it, with random weights.

    Args:
        rank: Of its adapters.
        regressor: Numbers of its regressor.
    """

    def __init__(self, rank: int = 16, regressor: DaRegSettings = REGRESSOR) -> None:
        from headroom.nn.latent.diffusers_models import make_networks

        super().__init__()
        torch.manual_seed(0)
        self.rank, self.modules_of = rank, dict[str, list[str]]()
        parts: tuple[Any, Any] = make_networks(SETTINGS.prior)
        self.vae, self.unet = parts
        self.base = {"vae": _clone_of(self.vae), "unet": _clone_of(self.unet)}
        self.vae_c: Any = make_networks(SETTINGS.prior)[0]
        self.vae_c.load_state_dict(self.base["vae"])
        self.proj, self.dareg = Projection(regressor.channels[-1]), build_regressor(regressor)
        self.unet.conv_in = nn.Conv2d(8, 4, 3, padding=1)
        for number, pair in enumerate(((16, 16), (8, 16), (4, 16), (4, 8)), start=1):
            self.vae.decoder.add_module(f"skip_conv_{number}", Skip(*pair))
            self.vae_c.decoder.add_module(f"skip_conv_{number}", nn.Conv2d(*pair, 1, bias=False))  # never used
        _move(self.dareg, "")
        self._adapt()
        _move(self, "lora")
        self.eval()

    def _adapt(self) -> None:
        """Give the layers adapters by the names that they are released under."""
        self._add(self.unet, "unet_lora_encoder", lambda name: "down_blocks" in name or name == "conv_in")
        self._add(self.unet, "unet_lora_decoder", lambda name: "up_blocks" in name or name == "conv_out")
        self._add(self.unet, "unet_lora_others", lambda name: "mid_block" in name)
        for part in ("vae", "vae_c"):
            coder = getattr(self, part)
            self._add(coder, f"{part}_lora_encoder", lambda name: name.startswith("encoder") or name == "quant_conv")
        self._add(self.vae, "vae_lora_decoder", lambda name: name.startswith("decoder"))

    def _add(self, network: nn.Module, kind: str, chosen: Callable[[str], bool]) -> None:
        from peft import LoraConfig, inject_adapter_in_model
        from peft.tuners.tuners_utils import BaseTunerLayer

        layers = [
            name
            for name, module in network.named_modules()
            if isinstance(module, nn.Linear | nn.Conv2d) and "time_emb" not in name and "lora" not in name
        ]
        layers = [name for name in layers if chosen(name)]
        adapter = f"default_{kind.rpartition('_')[2]}"
        config = LoraConfig(r=self.rank, init_lora_weights="gaussian", target_modules=layers)
        inject_adapter_in_model(config, network, adapter)
        for module in network.modules():
            if isinstance(module, BaseTunerLayer):
                module.set_adapter([*module.lora_A])  # type: ignore[arg-type, misc]
        self.modules_of[f"{kind}_modules"] = layers

    def dictionary(self) -> dict[str, Any]:
        """Give what is saved as `gmodiff.pkl`."""
        unet, vae, vae_c = (getattr(self, part).state_dict() for part in ("unet", "vae", "vae_c"))
        return {
            **self.modules_of,
            **{f"rank_{part}": self.rank for part in ("unet", "vae", "vae_c")},
            "state_dict_unet": {name: x for name, x in unet.items() if "lora" in name or "conv_in" in name},
            "state_dict_vae": {name: x for name, x in vae.items() if "lora" in name or "skip" in name},
            "state_dict_vae_c": {name: x for name, x in vae_c.items() if "lora" in name or "skip" in name},
            "proj": self.proj.state_dict(),
        }

    def write(self, folder: Path) -> None:
        """Write the Stable Diffusion that it grew from and, as released, `dareg_mask.pth` and `gmodiff.pkl`."""
        from headroom.nn.latent.diffusers_models import make_networks

        for part, network in zip(("vae", "unet"), make_networks(SETTINGS.prior), strict=True):
            network.load_state_dict(self.base[part])
            network.save_pretrained(folder / part)  # type: ignore[operator]
        _schedule().save_pretrained(folder / "scheduler")
        regressor = {f"module.{name}": value for name, value in self.dareg.state_dict().items()}
        trained = {"epoch": 9, "global_step": 10, "state_dict": regressor, "optimizer": {}, "val_metrics": {}}
        torch.save(trained, folder / "dareg_mask.pth")
        torch.save(self.dictionary(), folder / "gmodiff.pkl")

    @torch.no_grad()
    def gain(self, found: Regression, short: Tensor) -> Tensor:
        """Refine a regressed gain map, N x 3 x H x W, by the modes of latents.

        Args:
            found: What the regressor says.
            short: N x 3 x H x W code values of the short frame.
        """
        seen: list[Tensor] = []
        hooks = [
            block.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
            for block in self.vae.encoder.down_blocks
        ]
        mask = self.proj.mask_encoder(torch.sigmoid(found.unreliable))
        tokens = self.proj.mlp(torch.cat((mask, found.features), 1).flatten(2).transpose(1, 2))
        latents, condition = (
            SCALE * coder.encode(2 * pictures - 1).latent_dist.mode()
            for coder, pictures in ((self.vae, found.gain), (self.vae_c, short))
        )
        for hook in hooks:
            hook.remove()
        noise = self.unet(torch.cat((latents, condition), 1), torch.tensor([499]), tokens).sample
        scheduler = _schedule()
        scheduler.set_timesteps(timesteps=[499])
        clean = scheduler.step(noise, 499, latents).prev_sample
        return (self._decoded(clean, seen, tokens).clamp(-1, 1) + 1) / 2

    def _decoded(self, latents: Tensor, seen: list[Tensor], tokens: Tensor) -> Tensor:
        """Decode latents, with what went into each of the encoder's blocks."""
        hooks = []
        for number, block in enumerate(self.vae.decoder.up_blocks, start=1):
            skip = getattr(self.vae.decoder, f"skip_conv_{number}")
            gated = skip.conv1(seen[-number]) * torch.sigmoid(skip.mlp(tokens.mean(1)))[..., None, None]
            hooks.append(block.register_forward_pre_hook(_adding(gated)))
        decoded: Tensor = self.vae.decode(latents / SCALE).sample
        for hook in hooks:
            hook.remove()
        return decoded


def _schedule() -> Any:
    from headroom.nn.latent.diffusers_models import DDPMScheduler

    return DDPMScheduler(beta_start=BETAS[0], beta_end=BETAS[1], beta_schedule="scaled_linear", clip_sample=False)


def _move(network: nn.Module, among: str) -> None:
    """Change parameters that are 0 and have this in their names."""
    for name, parameter in network.named_parameters():
        if among in name and not parameter.any():
            nn.init.normal_(parameter, std=0.1)


def _adding(more: Tensor) -> Callable[..., tuple[Any, ...]]:
    return lambda _, arguments: (arguments[0] + more, *arguments[1:])


def _clone_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
