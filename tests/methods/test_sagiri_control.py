from __future__ import annotations

from typing import Any

import pytest
import torch
from latent_tiny import TINY
from torch import Tensor, nn

from headroom.methods.sagiri.control import ControlBranch, ControlTensors


def denoiser(**changes: Any) -> Any:
    """A thin U-Net of diffusers in Stable Diffusion's shape."""
    from headroom.nn.latent.diffusers_models import UNet2DConditionModel

    torch.manual_seed(0)
    settings = {**TINY.denoiser, "layers_per_block": 2}
    return UNet2DConditionModel(**{**settings, **changes}).eval()


def inputs() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "noisy": torch.randn(2, 4, 8, 8, generator=generator),
        "hint": torch.randn(2, 4, 8, 8, generator=generator),
        "timestep": torch.tensor([10, 900]),
        "context": torch.randn(2, 3, 12, generator=generator),
    }


@torch.no_grad()
def steered(unet: Any, control: ControlTensors | None) -> Tensor:
    given = inputs()
    additions = (
        {"down_block_additional_residuals": control.skips, "mid_block_additional_residual": control.middle}
        if control
        else {}
    )
    out: Tensor = unet(given["noisy"], given["timestep"], given["context"], **additions).sample
    return out


@torch.no_grad()
def test_a_new_branch_changes_nothing() -> None:
    unet = denoiser()
    control = ControlBranch(unet, 4)(**inputs())
    assert not any(tensor.any() for tensor in (*control.skips, control.middle))
    assert torch.equal(steered(unet, control), steered(unet, None))


@torch.no_grad()
def test_a_new_branch_reads_the_noise_as_the_denoiser_does() -> None:
    # With convolutions that let through what they get, it gives the encoder's own outputs, which the hooks saw.
    unet, seen = denoiser(), []
    branch = ControlBranch(unet, 4)
    for convolution in (*branch.controlnet_down_blocks, branch.controlnet_mid_block):
        nn.init.dirac_(convolution.weight)  # type: ignore[arg-type]
    unet.conv_in.register_forward_hook(lambda _module, _given, out: seen.append(out))
    for block in unet.down_blocks:
        block.register_forward_hook(lambda _module, _given, out: seen.extend(out[1]))
    unet.mid_block.register_forward_hook(lambda _module, _given, out: seen.append(out))
    steered(unet, None)
    control = branch(**inputs())
    for own, other in zip((*control.skips, control.middle), seen, strict=True):
        torch.testing.assert_close(own, other)


@torch.no_grad()
def test_a_branch_agrees_with_diffusers_controlnet() -> None:
    # Theirs adds features of the hint to the first convolution; a 3 x 3 convolution is what ours has in its place.
    unet = denoiser()
    ours = ControlBranch(unet, 4)
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.1)
    from diffusers import ControlNetModel  # not before `denoiser` has made sure that diffusers imports

    theirs = ControlNetModel.from_unet(unet).eval()
    theirs.controlnet_cond_embedding = nn.Conv2d(4, 8, 3, padding=1, bias=False)
    state = ours.state_dict()
    joint = state.pop("conv_in.weight")
    state["conv_in.weight"], state["controlnet_cond_embedding.weight"] = joint.split(4, 1)
    theirs.load_state_dict(state)
    given = inputs()
    skips, middle = theirs(
        given["noisy"], given["timestep"], given["context"], controlnet_cond=given["hint"], return_dict=False
    )
    control = ours(**given)
    for own, other in zip((*control.skips, control.middle), (*skips, middle), strict=True):
        torch.testing.assert_close(own, other)


@torch.no_grad()
def test_strength_weighs_the_control() -> None:
    unet = denoiser()
    branch = ControlBranch(unet, 4)
    for parameter in branch.parameters():
        nn.init.normal_(parameter, std=0.1)
    control = branch(**inputs())
    assert not torch.equal(steered(unet, control), steered(unet, None))
    assert torch.equal(steered(unet, control.times(0.0)), steered(unet, None))
    assert torch.equal(control.times(0.5).middle, control.middle / 2)


def test_the_branch_learns_and_the_denoiser_does_not() -> None:
    unet = denoiser().requires_grad_(requires_grad=False)
    branch = ControlBranch(unet, 4)
    control = branch(**inputs())
    given = inputs()
    out = unet(
        given["noisy"],
        given["timestep"],
        given["context"],
        down_block_additional_residuals=control.skips,
        mid_block_additional_residual=control.middle,
    ).sample
    out.square().sum().backward()
    assert all(conv.weight.grad.any() for conv in (*branch.controlnet_down_blocks, branch.controlnet_mid_block))
    assert not any(parameter.requires_grad for parameter in unet.parameters())


def test_a_hint_may_have_more_channels() -> None:
    assert ControlBranch(denoiser(), 5).conv_in.weight.shape == (8, 9, 3, 3)


@pytest.mark.parametrize(("more", "parameters"), [(4, 363_153_280)])
def test_size_at_stable_diffusion_2_1(more: int, parameters: int) -> None:
    with torch.device("meta"):
        unet = denoiser(
            block_out_channels=(320, 640, 1280, 1280),
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            norm_num_groups=32,
            attention_head_dim=(5, 10, 20, 20),
            cross_attention_dim=1024,
            use_linear_projection=True,
        )
        branch = ControlBranch(unet, more)
    assert sum(parameter.numel() for parameter in unet.parameters()) == 865_910_724
    assert sum(parameter.numel() for parameter in branch.parameters()) == parameters
    assert len(branch.state_dict()) == 324
    assert branch.conv_in.weight.shape == (320, 8, 3, 3)
    assert len(branch.controlnet_down_blocks) == 12
