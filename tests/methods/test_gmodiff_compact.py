"""The compact regressor: what it promises before it has learned anything, and with any weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.blending import classical_weights, disagreement, gathered
from headroom.methods.gmodiff.compact import CompactRegressor
from headroom.methods.gmodiff.frames import short_reference_long
from headroom.methods.gmodiff.gain import encode_gain
from headroom.methods.gmodiff.method import METHOD
from headroom.nn.mu_law import mu_law
from headroom.weights.writer import pack

EXPOSURE = (1.0, 4.0, 16.0)


def network(*, head: float = 0.0) -> CompactRegressor:
    """Make the network of the preset; `head` is the size of its last layer's weights, which start at 0."""
    torch.manual_seed(0)
    built = METHOD.build(METHOD.presets["regressor"].settings)
    assert isinstance(built, CompactRegressor)
    nn.init.normal_(built.head.weight, std=head)
    return built.eval()


def exposed(scenes: list[Tensor], exposure: tuple[float, ...] = EXPOSURE) -> MergeInput:
    """Photograph a 3 x H x W scene for each frame, without noise."""
    light = torch.stack(scenes)[None]
    times = torch.tensor([exposure])
    own = (light * times.view(1, -1, 1, 1, 1)).clamp(0, 1)
    return MergeInput(own ** (1 / 2.2), own / times.view(1, -1, 1, 1, 1), times, torch.tensor([1]))


def scene(height: int = 64, width: int = 96, *, peak: float = 1.0) -> Tensor:
    """Draw smooth light from black to `peak`, waved a little."""
    x = torch.linspace(0, 1, width).expand(3, height, width) ** 3
    waves = torch.sin(torch.arange(height) / 5)[:, None] * torch.cos(torch.arange(width) / 4)
    return peak * x * (0.9 + 0.1 * waves)


def flat(light: float) -> Tensor:
    return torch.full((3, 6, 6), light)


def merge(built: CompactRegressor, inputs: MergeInput) -> Tensor:
    with torch.no_grad():
        return METHOD.run(built, inputs, torch.Generator(), lambda _share: None)[:, :3]


def psnr_mu(one: Tensor, other: Tensor) -> float:
    return float(-10 * (mu_law(one) - mu_law(other)).square().mean().log10())


def test_weights_fit_into_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    pack(network().state_dict(), path, {})
    assert path.stat().st_size < 10e6


@pytest.mark.parametrize("head", [0.0, 1.0], ids=["new", "any weights"])
def test_flat_light_that_all_frames_agree_about_comes_back(head: float) -> None:
    frame = flat(0.3).repeat(1, 8, 8)
    found = merge(network(head=head), exposed([frame] * 3, (1.0, 1.0, 1.0)))
    torch.testing.assert_close(found[0], frame, rtol=0, atol=1e-5)


def test_a_new_network_merges_what_stands_still() -> None:
    light = scene()
    found = merge(network(), exposed([light] * 3))
    assert psnr_mu(found[0], light) > 55
    assert float(found.max()) == pytest.approx(float(light.max()), abs=0.01)


def test_a_new_network_lets_through_nothing_that_moved() -> None:
    light = scene(peak=0.2)
    there, gone = light.clone(), light.clone()
    there[:, 20:40, 30:60] = 0.02
    gone[:, 20:40, 0:30] = 0.15
    inputs = exposed([there, light, gone])
    found = merge(network(), inputs)
    assert psnr_mu(found[0], light) > 45
    assert psnr_mu(inputs.linear.mean(1)[0], light) < 30


def test_light_stays_between_zero_and_the_short_frames_clip() -> None:
    found = merge(network(head=3.0), exposed([scene(peak=1.5)] * 3))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_classical_weights_are_those_of_the_least_variance() -> None:
    def weights(light: float) -> list[float]:
        frames = short_reference_long(exposed([flat(light)] * 3))
        return classical_weights(frames).softmax(1)[0, :, 0, 3, 3].tolist()

    dark, middle, bright, beyond = weights(0.0005), weights(0.03), weights(0.6), weights(1.0)
    assert dark[2] > 0.8
    assert middle[1] > 0.5
    assert bright[0] > 0.99
    assert beyond[0] > 0.99
    # Read noise alone: precision goes with the square of the exposure.
    black = weights(0.0)
    assert black[2] / black[1] == pytest.approx(16, rel=1e-3)
    assert black[1] / black[0] == pytest.approx(16, rel=1e-3)


@pytest.mark.parametrize(
    ("short", "reference", "long", "heard"),
    [
        (0.10, 0.10, 0.01, (True, False)),
        (0.02, 0.10, 0.10, (False, True)),  # the long frame is clipped: it says as much as it can
        (0.02, 0.01, 0.01, (False, True)),
        (0.10, 0.60, 0.60, (False, True)),  # the reference is clipped, at 0.25
        (0.90, 0.60, 0.60, (True, True)),
        (0.03, 0.03, 0.50, (True, False)),  # clipped, where the reference is darker than its full scale
    ],
)
def test_what_contradicts_the_reference_is_not_heard(
    short: float, reference: float, long: float, heard: tuple[bool, bool]
) -> None:
    apart = short_reference_long(exposed([flat(light) for light in (short, reference, long)]))
    same = apart._replace(linear=apart.linear[:, 1:2].repeat(1, 3, 1, 1, 1))
    found = (classical_weights(apart) - classical_weights(same))[0, :, 0, 3, 3]
    assert abs(float(found[1])) < 1e-5
    assert [bool(lost > -6) for lost in found[[0, 2]]] == list(heard)


def test_frames_allow_the_gains_they_disagree_about() -> None:
    frames = short_reference_long(exposed([flat(0.1)] * 3))
    # The long frame is clipped at 1/16, so it allows any gain up to that of full scale.
    low, high = (encode_gain(torch.tensor(light), frames.base) for light in (1 / 16, 1.0))
    torch.testing.assert_close(disagreement(frames), high - low)
    same = short_reference_long(exposed([flat(0.01)] * 3))
    assert float(disagreement(same).max()) < 1e-6


def test_taps_are_a_convolution_of_each_frame() -> None:
    generator = torch.Generator().manual_seed(0)
    frames, kernel = torch.rand(2, 3, 3, 7, 9, generator=generator), torch.rand(9, generator=generator)
    found = gathered(frames, kernel.view(1, 1, 9, 1, 1).expand(2, 3, 9, 7, 9))
    padded = F.pad(frames.flatten(0, 2)[:, None], (1, 1, 1, 1), mode="replicate")
    torch.testing.assert_close(found, F.conv2d(padded, kernel.view(1, 1, 3, 3)).view_as(frames))


def test_a_tile_gives_what_the_whole_picture_gives() -> None:
    overlap = METHOD.presets["regressor"].capabilities.overlap_px
    side = 128 + overlap
    whole = exposed([scene(side, 2 * side) * (0.5 + 0.5 * i) for i in range(3)])
    built = network(head=0.1)
    tile = MergeInput(whole.encoded[..., :side], whole.linear[..., :side], whole.exposure, whole.reference)
    inside = slice(0, side - overlap // 2)
    found, expected = merge(built, tile)[..., inside], merge(built, whole)[..., inside]
    assert float((found - expected).abs().max()) < 1e-3
    assert float((expected - merge(network(), whole)[..., inside]).abs().max()) > 0.05
