"""The refiner: one step, in the closed form; skips and residual that begin with nothing; tokens as published."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import gmodiff_tiny as tiny
import pytest
import torch
import torch.nn.functional as F
from moving_brackets import moving
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.adapting import ADAPTED, PAINTING, RANK, plain
from headroom.methods.gmodiff.autoencoding import decode, encode
from headroom.methods.gmodiff.expecting import expect
from headroom.methods.gmodiff.frames import short_reference_long
from headroom.methods.gmodiff.method import METHOD, build
from headroom.methods.gmodiff.refiner import STEP, without_noise
from headroom.methods.gmodiff.settings import PAPER_REFINER
from headroom.methods.gmodiff.tokens import Tokens
from headroom.nn.gain_network import GainNetwork, GainNetworkSettings
from headroom.nn.latent.schedule import BETAS, STEPS

SETTINGS = [pytest.param(tiny.COMPACT, id="compact"), pytest.param(tiny.PAPER, id="paper")]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def seen(*, doubt: float, share: float = 0.5, bound: float = 1.0) -> dict[str, Tensor]:
    """Make what the last layers see."""
    frames, gain, expected = drawn(5, 3, 32, 32).sigmoid().split((3, 1, 1))
    return {
        "features": drawn(1, 4, 8, 8),
        "frames": frames[None],
        "gain": gain,
        "expected": expected,
        "share": torch.full((1, 3, 32, 32), share),
        "doubt": torch.full((1, 1, 32, 32), doubt),
        "bound": torch.full((1, 3, 32, 32), bound),
    }


def parameters(*modules: nn.Module) -> int:
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


@pytest.mark.parametrize(
    ("name", "only"), [("DDPMScheduler", {"timesteps": [STEP]}), ("DDIMScheduler", {"num_inference_steps": 1})]
)
def test_the_closed_form_is_the_schedulers_only_step(name: str, only: dict[str, Any]) -> None:
    import diffusers

    scheduler = getattr(diffusers, name)(
        num_train_timesteps=STEPS,
        beta_start=BETAS[0],
        beta_end=BETAS[1],
        beta_schedule="scaled_linear",
        clip_sample=False,
    )
    scheduler.set_timesteps(**only)
    latents, noise = drawn(2, 4, 8, 8), drawn(2, 4, 8, 8, seed=1)
    expected = scheduler.step(noise, STEP, latents).prev_sample
    torch.testing.assert_close(without_noise(latents, noise), expected, atol=1e-5, rtol=1e-5)


def test_the_step_has_the_published_share() -> None:
    assert float(without_noise(torch.tensor(1.0), torch.tensor(0.0))) == pytest.approx(1 / 0.52694, abs=1e-4)
    assert float(without_noise(torch.tensor(0.0), torch.tensor(1.0))) == pytest.approx(-0.84990 / 0.52694, abs=1e-4)


@pytest.mark.parametrize("settings", SETTINGS)
@torch.no_grad()
def test_the_denoiser_is_evaluated_once(settings) -> None:  # type: ignore[no-untyped-def]
    network, evaluated = tiny.refiner(settings), []
    network.denoiser.register_forward_hook(lambda *_: evaluated.append(1))
    network(moving(side_px=64).inputs)
    assert len(evaluated) == 1


@torch.no_grad()
def test_a_new_compact_refiner_gives_what_its_regressor_gives_unless_a_clipped_reference_is_contradicted() -> None:
    network, inputs = tiny.refiner(tiny.COMPACT), moving(side_px=64).inputs
    found = network(inputs)
    clipped = inputs.encoded[:, 1] > 250 / 255
    less = (inputs.linear[:, 0] < 0.99 * inputs.linear[:, 1]).any(1, keepdim=True).float()
    contradicted = F.max_pool2d(less, 3, 1, 1) > 0  # its neighbours too
    changed = found.refined.gain != network.regressor(inputs).gain
    assert changed.any()
    assert not (changed & ~(clipped & contradicted)).any()
    torch.testing.assert_close(found.regressed.light, network.regressor(inputs).light)


@torch.no_grad()
def test_a_map_is_changed_only_where_frames_disagree() -> None:
    network, batch = tiny.refiner(tiny.COMPACT), moving(side_px=64)
    nn.init.normal_(network.residual.change.weight)
    same = batch.inputs._replace(
        linear=batch.truth[:, None].expand(-1, 3, -1, -1, -1) / 32,
        encoded=(batch.truth[:, None] / 32 * batch.exposure[..., None, None, None]) ** (1 / 2.2),
    )
    found, moved = network(same), network(batch.inputs)
    torch.testing.assert_close(found.refined.gain, found.regressed.gain, atol=1e-5, rtol=0)
    assert (moved.refined.gain - moved.regressed.gain).abs().max() > 0.01


@torch.no_grad()
def test_the_gate_opens_with_doubt() -> None:
    residual = tiny.refiner(tiny.COMPACT).residual
    nn.init.ones_(residual.change.bias)
    changes = [residual(**seen(doubt=doubt)) for doubt in (-20.0, 0.0, 20.0)]
    assert changes[0].abs().max() < 1e-6
    assert changes[2].abs().max() > changes[1].abs().max() > 0.1


@pytest.mark.parametrize(("share", "told", "expected"), [(0.0, 0, 0.0), (0.6, 0, 0.6), (0.0, 20, 1.0)])
@torch.no_grad()
def test_the_map_is_led_to_the_one_that_is_expected_within_the_bound(
    share: float, told: float, expected: float
) -> None:
    residual = tiny.refiner(tiny.COMPACT).residual
    residual.change.bias[: len(residual.change.bias) // 2] = told
    for largest in (1.0, 0.1):
        inputs = seen(doubt=40, share=share, bound=largest)
        way = (inputs["expected"] - inputs["gain"]).clamp(-largest, largest)
        torch.testing.assert_close(residual(**inputs), expected * way, atol=1e-6, rtol=0)
        assert way.abs().max() > 0.09


@torch.no_grad()
def test_expected_light_is_the_references_own_unless_that_is_clipped() -> None:
    torch.manual_seed(0)
    network, frames = GainNetwork(GainNetworkSettings((8, 8), (1, 1), 8)), short_reference_long(moving().inputs)
    clipped = frames.base > 250 / 255
    assert 0.05 < clipped.float().mean() < 0.95
    reference = frames.linear[:, 1]
    # A new network says softplus(1) stops everywhere.
    most = (reference * 2 ** math.log1p(math.e)).clamp(max=1)
    torch.testing.assert_close(expect(network, frames, 2).light, torch.where(clipped, most, reference))


@torch.no_grad()
def test_what_the_short_frame_contradicts_is_left_to_expectation() -> None:
    network = GainNetwork(GainNetworkSettings((8, 8), (1, 1), 8))
    reference, exposure = torch.full((1, 3, 32, 32), 0.25), torch.tensor([[1.0, 4.0, 16.0]])
    for short, certain in ((0.05, True), (0.25, False), (0.8, False)):  # less than the clip level, equal, and more
        linear = torch.stack((torch.full_like(reference, short), reference, torch.full_like(reference, 1 / 16)), 1)
        own = linear * exposure[..., None, None, None]
        inputs = MergeInput(own ** (1 / 2.2), linear, exposure, torch.tensor([1]))
        share = expect(network, short_reference_long(inputs), 2).share
        torch.testing.assert_close(share, torch.full_like(share, float(certain)), atol=1e-3, rtol=0)


@pytest.mark.parametrize("settings", SETTINGS)
@torch.no_grad()
def test_skips_do_nothing_at_first(settings) -> None:  # type: ignore[no-untyped-def]
    network = tiny.refiner(settings)
    autoencoder, channels = network.autoencoder, network.autoencoder.config.in_channels
    latents, skips = encode(autoencoder, drawn(2, channels, 16, 24))
    tokens = drawn(2, 5, 12)
    gated = [skip(x, tokens) for skip, x in zip(network.skips, reversed(skips), strict=True)]
    decoded = autoencoder.decoder.conv_out(decode(autoencoder, latents, gated))
    torch.testing.assert_close(decoded, autoencoder.decode(latents).sample)
    for skip in network.skips:
        nn.init.normal_(skip.conv1.weight)
    gated = [skip(x, tokens) for skip, x in zip(network.skips, reversed(skips), strict=True)]
    assert (autoencoder.decoder.conv_out(decode(autoencoder, latents, gated)) - decoded).abs().max() > 1e-3


@pytest.mark.parametrize("settings", SETTINGS)
@torch.no_grad()
def test_latents_are_the_mode_of_the_autoencoders(settings) -> None:  # type: ignore[no-untyped-def]
    autoencoder = tiny.refiner(settings).autoencoder
    pictures = drawn(2, autoencoder.config.in_channels, 16, 24)
    torch.testing.assert_close(encode(autoencoder, pictures).mode, autoencoder.encode(pictures).latent_dist.mode())


def test_the_tokens_are_as_large_as_published() -> None:
    with torch.device("meta"):
        tokens = Tokens(1024, 32, 1024)
    assert parameters(tokens) == 5_658_368
    assert {name.split(".")[0] for name in tokens.state_dict()} == {"mask_encoder", "mlp"}


@torch.no_grad()
def test_there_is_a_token_for_each_place_of_the_features() -> None:
    tokens = Tokens(7, 16, 8).eval()
    assert tokens(torch.rand(2, 1, 48, 64), torch.rand(2, 7, 3, 4)).shape == (2, 12, 8)


def test_skips_and_adapters_are_as_large_as_published() -> None:
    with torch.device("meta"):
        network = build(PAPER_REFINER)
    layers = {
        name: RANK * (module.weight[0].numel() + len(module.weight))  # type: ignore[arg-type, index]
        for name, module in network.named_modules()
        if any(re.fullmatch(pattern, name) for pattern in (*ADAPTED, PAINTING))
    }

    def of(*prefixes: str) -> tuple[int, int]:
        chosen = [size for name, size in layers.items() if name.startswith(prefixes)]
        return len(chosen), sum(chosen)

    assert of("denoiser.down_blocks", "denoiser.conv_in") == (94, 5_015_680)
    assert of("denoiser.up_blocks", "denoiser.conv_out") == (148, 9_700_416)
    assert of("denoiser.mid_block") == (16, 1_507_328)
    assert of("autoencoder.encoder", "autoencoder.quant_conv") == (32, 1_477_424)
    assert of("condition_encoder") == (32, 1_477_424)
    assert of("autoencoder.decoder", "skips") == (51, 2_247_280)
    assert of("") == (94 + 148 + 16 + 32 + 32 + 51, sum(layers.values()))
    assert [parameters(skip) for skip in network.skips] == [1_049_600, 918_528, 852_992, 360_960]  # type: ignore[union-attr, arg-type]


def test_the_ablation_knows_neither_tokens_nor_doubt() -> None:
    network, inputs = tiny.refiner(replace(tiny.COMPACT, guided=False)), moving(side_px=64).inputs
    nn.init.normal_(network.residual.change.weight)
    with torch.no_grad():
        before = network(inputs).light
        for part in (network.tokens, network.regressor.seg_conv_layers):
            for parameter in part.parameters():
                nn.init.normal_(parameter)
        assert torch.equal(network(inputs).light, before)


def test_names_of_a_whole_network_stay() -> None:
    state = tiny.refiner(tiny.COMPACT).state_dict()
    assert METHOD.own_names(state).keys() == state.keys()
    assert plain(state).keys() == state.keys()
