"""The published networks: sizes, keys, a functional re-computation from the stored tensors, and frozen encoders."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from headroom.methods.contract import ExpandInput
from headroom.methods.hybrid_ae.decoder import UpBlock, upsampler
from headroom.methods.hybrid_ae.losses import PaperLoss, slides_optimiser
from headroom.methods.hybrid_ae.paper import (
    MODEL_A,
    MODEL_B,
    PAPER,
    SIZE_MULTIPLE,
    PaperSettings,
    Stage,
    build_paper,
    run_paper,
)
from headroom.methods.hybrid_ae.unet import UNET, UNetSettings, build_unet

# MODEL_A's structure at a size that runs in no time.
SMALL_A = PaperSettings(
    stages=(
        Stage(12, "pixelshuffle", 20, 12),
        Stage(6, "pixelshuffle", 12, 10),
        Stage(3, "pixelshuffle", 10, 8),
        Stage(1, "pixelshuffle", 8, 6),
        Stage(None, "bilinear", 6, 4, convolutions=1),
    ),
    norm="none",
    bottleneck_channels=20,
)


def count(network, *, trainable=False):
    return sum(value.numel() for value in network.parameters() if value.requires_grad or not trainable)


def decoder_shapes(network):
    return {key: tuple(value.shape) for key, value in network.state_dict().items() if not key.startswith("encoder.")}


def random_network(settings):
    torch.manual_seed(0)
    return build_paper(settings).eval()


@pytest.mark.parametrize(("settings", "total", "trainable"), [
    (MODEL_B, 4_431_971, 1_460_019),
    (MODEL_A, 104_008_115, 101_036_163),
    (PAPER, 5_474_659, 2_502_707),
])  # fmt: skip
def test_sizes(settings, total, trainable):
    with torch.device("meta"):
        network = build_paper(settings)
    assert (count(network), count(network, trainable=True)) == (total, trainable)


def test_model_b_has_the_released_keys():
    widths, inputs = (160, 80, 40, 24, 16), (960, 160, 80, 40, 24)
    expected = {"final_conv.weight": (3, 16, 1, 1), "final_conv.bias": (3,)}
    for i, (width, width_in, skip) in enumerate(zip(widths, inputs, (80, 40, 24, 16, 0), strict=True)):
        expected |= {f"up{i}.up.weight": (width_in, width, 2, 2), f"up{i}.up.bias": (width,)}
        expected[f"up{i}.conv1.conv.weight"] = (width, width + skip, 3, 3)
        expected[f"up{i}.conv2.conv.weight"] = (width, width, 3, 3)
    assert decoder_shapes(random_network(MODEL_B)) == expected


def test_paper_is_model_b_with_pixel_shuffle_and_a_bottleneck():
    ours, released = (decoder_shapes(random_network(settings)) for settings in (PAPER, MODEL_B))
    assert {key for key in ours.keys() - released.keys() if ".up.0." not in key} == {
        f"bottleneck.{i}.{name}" for i in (0, 2) for name in ("weight", "bias")
    }
    assert all(ours[key] == released[key] for key in ours.keys() & released.keys())
    assert {stage.upsample for stage in PAPER.stages} == {"pixelshuffle"}


def test_model_b_computes_what_its_tensors_say():
    network = random_network(MODEL_B)
    state, x = network.state_dict(), torch.randn(2, 3, 64, 32)
    maps = network.encoder.feature_maps(x)
    y = maps[16]
    for i, skip in enumerate((7, 4, 2, 0, None)):
        y = F.conv_transpose2d(y, state[f"up{i}.up.weight"], state[f"up{i}.up.bias"], stride=2)
        y = y if skip is None else torch.cat((y, maps[skip]), 1)
        for name in ("conv1", "conv2"):
            y = F.relu(F.instance_norm(F.conv2d(y, state[f"up{i}.{name}.conv.weight"], padding=1)))
    expected = F.conv2d(y, state["final_conv.weight"], state["final_conv.bias"]).tanh()
    torch.testing.assert_close(network(x), expected)


def test_model_a_computes_what_its_tensors_say():
    network = random_network(SMALL_A)
    state, x = network.state_dict(), torch.randn(2, 3, 64, 32)

    def convolve(y, name):
        weight = state[f"{name}.weight"]
        return F.conv2d(y, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)

    maps = network.encoder.feature_maps(x)
    y = convolve(convolve(maps[16], "bottleneck.0").relu(), "bottleneck.2").relu()
    for i, skip in enumerate((12, 6, 3, 1)):
        y = torch.cat((F.pixel_shuffle(convolve(y, f"up{i}.up.0"), 2), maps[skip]), 1)
        y = convolve(convolve(y, f"up{i}.conv1.conv").relu(), f"up{i}.conv2.conv").relu()
    y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
    expected = convolve(convolve(y, "up4.conv1.conv").relu(), "final_conv").tanh()
    torch.testing.assert_close(network(x), expected)


def test_stages_of_small_a_are_those_of_model_a():
    def structure(settings):
        stages = [(stage.skip, stage.upsample, stage.convolutions) for stage in settings.stages]
        return stages, settings.norm, bool(settings.bottleneck_channels)

    assert structure(SMALL_A) == structure(MODEL_A)


@pytest.mark.parametrize("upsample", ["pixelshuffle", "convtranspose", "bilinear"])
@pytest.mark.parametrize("norm", ["instance", "none"])
@pytest.mark.parametrize("bottleneck", [0, 8])
def test_every_combination_gives_a_picture_of_the_same_size_in_range(upsample, norm, bottleneck):
    stages = tuple(replace(stage, upsample=upsample, upsampled=8, channels=8) for stage in PAPER.stages)
    network = random_network(PaperSettings(stages, norm=norm, bottleneck_channels=bottleneck))
    y = network(10 * torch.randn(1, 3, SIZE_MULTIPLE, 2 * SIZE_MULTIPLE))
    assert y.shape == (1, 3, SIZE_MULTIPLE, 2 * SIZE_MULTIPLE)
    assert y.abs().max() <= 1


def test_fresh_pixel_shuffle_repeats_pixels():
    x = torch.randn(2, 12, 6, 5)
    y = upsampler("pixelshuffle", 12, 7)(x)
    assert y.shape == (2, 7, 12, 10)
    assert torch.equal(y, F.interpolate(y[..., ::2, ::2], scale_factor=2, mode="nearest"))
    assert y.std() > 0.1


def test_bilinear_without_a_change_of_channels_has_no_weights():
    assert not upsampler("bilinear", 5, 5).state_dict()
    block = UpBlock(5, 7, 2, 3, upsample="bilinear", norm="none", convolutions=1)
    assert block(torch.rand(1, 5, 4, 4), torch.rand(1, 2, 8, 8)).shape == (1, 3, 8, 8)


def test_training_step_leaves_the_encoder_alone_and_moves_the_decoder():
    network = random_network(PAPER).train()
    assert network.training
    assert not any(module.training for module in network.encoder.modules())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    optimiser = slides_optimiser(network.parameters())
    loss = PaperLoss(None, lpips_weight=0)(network(torch.randn(2, 3, 64, 64)), torch.rand(2, 3, 64, 64))
    loss.backward()
    optimiser.step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {key for key in before if not key.startswith("encoder.")}


@pytest.mark.parametrize("upsample", ["pixelshuffle", "nearest"])
def test_unet(upsample):
    torch.manual_seed(0)
    network = build_unet(UNetSettings(upsample=upsample)).eval()

    def pair(inputs, outputs):
        return 9 * outputs * (inputs + outputs) + 2 * outputs

    phases = 4 if upsample == "pixelshuffle" else 1
    ups = sum(pair(c, c // 2) + (c + 1) * (c // 2) * phases for c in (256, 128, 64, 32))
    downs = pair(3, 16) + sum(pair(c, 2 * c) for c in (16, 32, 64, 128))
    assert count(network) == ups + downs + 3 * 17
    y = network(torch.randn(2, 3, 32, 64))
    assert y.shape == (2, 3, 32, 64)
    assert y.abs().max() <= 1
    assert UNetSettings(16, "pixelshuffle") == UNET


@pytest.mark.parametrize("build", [lambda: random_network(PAPER), lambda: build_unet(UNET).eval()])
def test_run_gives_a_finite_gain_of_the_photo_s_size(build):
    network, reports = build(), []
    encoded = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    encoded[0, :, :20] = 1
    encoded[1, :, :20] = 0
    inputs = ExpandInput(encoded, encoded**2.2, (encoded == 1).float())
    with torch.inference_mode():
        gain = run_paper(network, inputs, torch.Generator(), reports.append)
    assert gain.shape == encoded.shape
    assert torch.isfinite(gain).all()
    assert reports == [1.0]


def test_network_sees_imagenet_normalised_codes():
    class Recorder(nn.Module):
        def forward(self, x):
            self.seen = x
            return torch.zeros_like(x)

    recorder, codes = Recorder(), torch.rand(1, 3, 32, 32)
    run_paper(recorder, ExpandInput(codes, codes, torch.zeros_like(codes)), torch.Generator(), lambda _: None)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(recorder.seen[0, :, 3, 4], (codes[0, :, 3, 4] - mean) / deviation)
