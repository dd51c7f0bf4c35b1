"""The network that ships and its loss: against the scorer, and against `headroom.expand`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import headroom
from headroom.image import Photo
from headroom.methods.contract import ExpandBatch
from headroom.methods.hybrid_ae.method import METHOD
from headroom.methods.hybrid_ae.training import CompactLoss, loss, predict
from headroom.metrics.expansion import score_expansion
from headroom.nn.gain import upsample_gain
from headroom.nn.gain_network import GainNetwork, GainNetworkSettings, expected_gain, two_scale_gain
from headroom.restore.clipping import clipped_codes, recovery_weight
from headroom.weights.reader import read_state_dict
from headroom.weights.writer import pack

SETTINGS = CompactLoss()


def network(seed: int = 0) -> GainNetwork:
    """Make the network of the preset; its last layers, which begin at zero, get random weights too."""
    torch.manual_seed(seed)
    built = METHOD.build(GainNetworkSettings())
    assert isinstance(built, GainNetwork)
    for name, parameter in built.named_parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.3 if name.startswith("head") else 0.05)
    return built


def lamps(side_px: int = 128, count: int = 3) -> ExpandBatch:
    """Photograph a smooth scene with round lamps by a camera that only clips, so that every clipped code is 1."""
    y, x = torch.meshgrid(torch.linspace(0, 1, side_px), torch.linspace(0, 1, side_px), indexing="ij")
    truth = 0.1 + 0.5 * torch.stack((x, y, 1 - x)).repeat(count, 1, 1, 1)
    for i in range(count):
        distance = torch.hypot(x - 0.3 - 0.2 * i, y - 0.5)
        light = torch.tensor([6.0, 4.0, 3.0]).view(3, 1, 1) * (1.2 + i + torch.cos(20 * distance))
        truth[i] = torch.where(distance < 0.15, light, truth[i])
    linear = truth.clamp(max=1)
    encoded = torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return ExpandBatch(encoded, linear, (truth >= 1).float(), truth)


class Gain(nn.Module):
    """Predicts one gain everywhere."""

    def __init__(self, stops: float) -> None:
        super().__init__()
        self.stops = stops

    def forward(self, encoded: Tensor, clipped: Tensor) -> Tensor:
        return torch.full_like(encoded, self.stops) + 0 * clipped


def test_every_parameter_learns_from_one_step() -> None:
    built = network()
    torch.autograd.backward(loss(built, lamps(), SETTINGS)["total"])
    for name, parameter in built.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_a_new_network_starts_with_a_sensible_constant_gain() -> None:
    untrained = METHOD.build(GainNetworkSettings())
    gain = untrained(torch.rand(2, 3, 64, 96), torch.rand(2, 3, 64, 96))
    torch.testing.assert_close(gain, torch.full_like(gain, float(np.log1p(np.e))))


def test_gains_are_never_negative_and_each_channel_has_its_own() -> None:
    gain = network()(lamps().encoded, lamps().clipped)
    assert gain.min() >= 0
    assert (gain[:, 0] - gain[:, 1]).std() > 1e-3


def test_no_mosaic() -> None:
    # Of a picture of one colour, nothing but its borders can differ from pixel to pixel.
    flat = torch.full((1, 3, 512, 512), 0.6)
    with torch.inference_mode():
        middle = network().eval()(flat, flat)[0, :, 240:272, 240:272]
    assert middle.diff(dim=1).abs().max() < 2e-3 * middle.mean()


def test_every_pixel_knows_the_whole_photo() -> None:
    built, batch = network().eval(), lamps(512, 1)
    changed = batch.encoded.clone()
    changed[:, :, :32, :32] = 1
    with torch.inference_mode():
        difference = (built(changed, batch.clipped) - built(batch.encoded, batch.clipped)).abs()
    assert difference[:, :, -32:, -32:].max() > 1e-6


def test_two_scales_count_alike() -> None:
    built, batch = network().eval(), lamps(192)
    with torch.inference_mode():
        share = F.avg_pool2d(batch.clipped, 3)
        coarse = upsample_gain(built(F.avg_pool2d(batch.encoded, 3), share), share, (192, 192))
        expected = (built(batch.encoded, batch.clipped) + coarse) / 2
        torch.testing.assert_close(two_scale_gain(built, batch.encoded, batch.clipped), expected)


@pytest.mark.parametrize("size", [(32, 32), (64, 352), (224, 160)])
def test_what_the_coarser_scale_says_stays_in_its_place_at_any_size(size: tuple[int, int]) -> None:
    class Brightness(GainNetwork):
        """Its gain is the codes themselves, so that both scales say the same of a smooth picture."""

        def forward(self, encoded: Tensor, clipped: Tensor) -> Tensor:
            return encoded + 0 * clipped

    slopes = [torch.linspace(0, side / 100, side) for side in size]
    smooth = (slopes[0][:, None] + 2 * slopes[1])[None, None].expand(1, 3, -1, -1)
    gain = two_scale_gain(Brightness(GainNetworkSettings()), smooth, torch.ones_like(smooth))
    assert (gain - smooth)[:, :, 3:-3, 3:-3].abs().max() < 1e-4


def test_a_mirrored_photo_has_the_mirrored_gain() -> None:
    built, batch = network().eval(), lamps(96, 1)
    with torch.inference_mode():
        gain = expected_gain(built, batch.encoded, batch.clipped)
        mirrored = expected_gain(built, batch.encoded.flip(3), batch.clipped.flip(3))
    torch.testing.assert_close(mirrored.flip(3), gain)


def test_the_loss_is_the_error_that_the_scorer_measures() -> None:
    batch = lamps()
    share = F.avg_pool2d(batch.clipped, 2)
    for built in (Gain(1.0), Gain(2.5), network()):
        with torch.inference_mode():
            gain = upsample_gain(built(F.avg_pool2d(batch.encoded, 2), share), share, (128, 128))
            prediction = batch.linear * torch.exp2(gain * batch.clipped)
            expected = [
                score_expansion(*(image.permute(1, 2, 0).numpy() for image in images)).stops
                for images in zip(prediction, batch.truth, batch.encoded, strict=True)
            ]
            measured = float(loss(built, batch, SETTINGS)["stops"])
        assert measured == pytest.approx(np.mean(expected), rel=0.01)


def test_the_colour_term_is_blind_to_brightness() -> None:
    batch = lamps()
    grey = batch.truth.mean(1, keepdim=True).expand_as(batch.truth)
    linear = torch.where(batch.clipped.amax(1, keepdim=True) > 0, torch.ones(1), grey)
    clipped = batch.clipped.amax(1, keepdim=True).expand_as(grey)
    neutral = ExpandBatch(batch.encoded, linear, clipped, grey)
    losses = [loss(Gain(stops), neutral, SETTINGS) for stops in (0.5, 3.0)]
    for found in losses:
        assert float(found["chroma"]) == pytest.approx(0, abs=1e-5)
        assert float(found["total"]) == pytest.approx(float(found["stops"]), abs=1e-5)
    coloured = loss(Gain(1.0), batch, CompactLoss(chroma=2))
    assert float(coloured["chroma"]) > 0.1
    torch.testing.assert_close(coloured["total"], coloured["stops"] + 2 * coloured["chroma"])


def test_photos_without_clipped_pixels_count_nothing() -> None:
    batch = lamps(count=2)
    with_a_dark_one = ExpandBatch(*(tensor.clone() for tensor in batch))
    with_a_dark_one.clipped[1] = 0
    alone = ExpandBatch(*(tensor[:1] for tensor in batch))
    built = Gain(1.5)
    torch.testing.assert_close(loss(built, with_a_dark_one, SETTINGS), loss(built, alone, SETTINGS))
    dark = ExpandBatch(batch.encoded, batch.linear, torch.zeros_like(batch.clipped), batch.truth)
    assert float(loss(built, dark, SETTINGS)["total"]) == 0


def test_training_sees_what_use_gives(tmp_path: Path) -> None:
    pack(network().state_dict(), tmp_path / "compact.safetensors", {})
    scene = lamps(384, 1)  # the working size
    encoded = (scene.encoded * 255).round() / 255
    batch = ExpandBatch(encoded, ((encoded + 0.055) / 1.055) ** 2.4, (encoded == 1).float(), scene.truth)
    codes = (encoded[0] * 255).round().byte().permute(1, 2, 0).numpy()
    built = network().eval()
    built.load_state_dict(read_state_dict(tmp_path / "compact.safetensors"))  # rounded as the file is
    with torch.inference_mode():
        mirrored = predict(built, ExpandBatch(*(tensor.flip(3) for tensor in batch))).flip(3)
        # Use takes the mean gain of a photo and its mirror image, which is the geometric mean of the light.
        trained = (predict(built, batch) * mirrored).sqrt()[0].permute(1, 2, 0).numpy()
    photo = Photo(codes, 8)
    used = headroom.expand(photo, weights=tmp_path / "compact.safetensors")
    inside = recovery_weight(clipped_codes(photo)) == 255  # not on the rim, which only use has
    assert inside.mean() > 0.03
    error = np.abs(np.log2(used.pixels[inside]) - np.log2(trained[inside]))
    assert error.max() < 1e-3
