"""The network that ships: what it promises before it has learned anything, and with any weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.lf_diff.blending import classical_logits, contradiction, disagreement
from headroom.methods.lf_diff.compact import CompactNetwork
from headroom.methods.lf_diff.compact_blocks import LocalFrequencyBlock, LocalPriorIntegration
from headroom.methods.lf_diff.frames import short_reference_long
from headroom.methods.lf_diff.method import METHOD
from headroom.nn.mu_law import mu_law
from headroom.weights.writer import pack

EXPOSURE = (1.0, 4.0, 16.0)


def network(*, head: float = 0.0) -> CompactNetwork:
    """Make the network of the preset; `head` is the size of its last layer's weights, which start at 0."""
    torch.manual_seed(0)
    built = METHOD.build(METHOD.presets["compact"].settings)
    assert isinstance(built, CompactNetwork)
    nn.init.normal_(built.head.weight, std=head)
    return built.eval()


def exposed(scenes: list[Tensor], exposure: tuple[float, ...] = EXPOSURE) -> MergeInput:
    """Photograph a 3 x H x W scene for each frame, without noise."""
    light = torch.stack(scenes)[None]
    times = torch.tensor([exposure])
    own = (light * times.view(1, -1, 1, 1, 1)).clamp(0, 1)
    return MergeInput(own ** (1 / 2.2), own / times.view(1, -1, 1, 1, 1), times, torch.tensor([1]))


def scene(height: int = 64, width: int = 96, *, peak: float = 1.0) -> Tensor:
    """Draw smooth light from black to `peak` with a grain."""
    x = torch.linspace(0, 1, width).expand(height, width) ** 3
    grain = torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))
    return peak * x * (0.8 + 0.2 * grain)


def merge(built: CompactNetwork, inputs: MergeInput, seed: int = 0) -> Tensor:
    with torch.no_grad():
        return METHOD.run(built, inputs, torch.Generator().manual_seed(seed), lambda _share: None)


def psnr_mu(one: Tensor, other: Tensor) -> float:
    return float(-10 * (mu_law(one) - mu_law(other)).square().mean().log10())


def test_weights_fit_into_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    pack(network().state_dict(), path, {})
    assert path.stat().st_size < 10e6


@pytest.mark.parametrize("head", [0.0, 1.0], ids=["new", "any weights"])
def test_identical_frames_give_the_frame_back(head: float) -> None:
    frame = scene(peak=1.3).clamp(max=1)
    found = merge(network(head=head), exposed([frame] * 3, (1.0, 1.0, 1.0)))
    torch.testing.assert_close(found[0], frame, rtol=0, atol=1e-4)


def test_a_new_network_merges_what_stands_still() -> None:
    light = scene()
    found = merge(network(), exposed([light] * 3))
    assert psnr_mu(found[0], light) > 55
    assert float(found.max()) > 0.95


def test_a_new_network_lets_through_nothing_that_moved() -> None:
    light = scene(peak=0.2)
    there, gone = light.clone(), light.clone()
    there[:, 20:40, 30:60] = 0.02
    gone[:, 20:40, 0:30] = 0.15
    inputs = exposed([there, light, gone])
    found = merge(network(), inputs)
    assert psnr_mu(found[0], light) > 40
    plain = inputs.linear.mean(1)
    assert psnr_mu(plain[0], light) < 30


def test_light_stays_between_zero_and_the_short_frames_clip() -> None:
    found = merge(network(head=3.0), exposed([scene(peak=1.5)] * 3))
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_full_scale_of_the_short_frame_is_reached() -> None:
    found = merge(network(), exposed([torch.ones(3, 32, 32)] * 3))
    torch.testing.assert_close(found, torch.ones_like(found), rtol=0, atol=1e-4)


def test_what_contradicts() -> None:
    def of(short: float, reference: float, long: float) -> list[float]:
        inputs = exposed([torch.full((3, 4, 4), light) for light in (short, reference, long)])
        return contradiction(short_reference_long(inputs))[0, :, 0, 0, 0].tolist()

    def tone(light: float) -> float:
        return float(mu_law(torch.tensor(light)))

    assert of(0.01, 0.01, 0.01) == pytest.approx([0, 0], abs=1e-6)
    assert of(0.02, 0.01, 0.005) == pytest.approx([tone(0.02) - tone(0.01), tone(0.01) - tone(0.005)], abs=1e-6)
    # The reference clips at 1/4, the long frame at 1/16: more light than the reference holds is no contradiction.
    assert of(0.8, 0.8, 0.8) == pytest.approx([0, tone(0.25) - tone(1 / 16)], abs=1e-6)
    assert of(0.1, 0.8, 0.8)[0] == pytest.approx(tone(0.25) - tone(0.1), abs=1e-6)
    # A clipped long frame tells nothing of a reference beyond its range, and contradicts a darker one.
    assert of(0.1, 0.1, 0.1)[1] == pytest.approx(0, abs=1e-6)
    assert of(0.03, 0.03, 0.5)[1] == pytest.approx(tone(1 / 16) - tone(0.03), abs=1e-6)


def test_classical_weights() -> None:
    def weights(light: float) -> list[float]:
        inputs = exposed([torch.full((3, 4, 4), light)] * 3)
        return classical_logits(short_reference_long(inputs)).softmax(1)[0, :, 0, 0, 0].tolist()

    dark, middle, bright = weights(0.0005), weights(0.05), weights(0.6)
    assert dark[2] > 0.6
    assert middle[1] > 0.8
    assert bright[0] > 0.99


def test_frames_allow_what_they_disagree_about() -> None:
    inputs = exposed([torch.full((3, 4, 4), 0.1)] * 3)
    # The long frame is clipped at 1/16, so it allows anything up to full scale.
    low = float(mu_law(torch.tensor(1 / 16)))
    torch.testing.assert_close(disagreement(short_reference_long(inputs)), torch.full((1, 3, 4, 4), 1 - low))
    same = exposed([torch.full((3, 4, 4), 0.01)] * 3)
    assert float(disagreement(short_reference_long(same)).max()) < 1e-6


def test_nothing_is_left_to_chance() -> None:
    built, inputs = network(head=1.0), exposed([scene()] * 3)
    assert torch.equal(merge(built, inputs, seed=1), merge(built, inputs, seed=2))


def test_a_tile_gives_what_the_whole_picture_gives() -> None:
    overlap = METHOD.presets["compact"].capabilities.overlap_px
    side = 128 + overlap
    whole = exposed([scene(side, 2 * side) * (0.5 + 0.5 * i) for i in range(3)])
    built = network(head=0.1)
    tile = MergeInput(whole.encoded[..., :side], whole.linear[..., :side], whole.exposure, whole.reference)
    inside = slice(0, side - overlap // 2)
    found, expected = merge(built, tile)[..., inside], merge(built, whole)[..., inside]
    assert float((found - expected).abs().max()) < 1e-3
    assert float((expected - merge(network(), whole)[..., inside]).abs().max()) > 0.05


def test_prior_reaches_features_through_windows_alone() -> None:
    torch.manual_seed(0)
    module = LocalPriorIntegration(16, 4, 8)
    x, prior = torch.rand(1, 16, 32, 32), torch.rand(1, 4, 32, 32)
    changed = prior.clone()
    changed[:, :, 16, 16] += 1
    moved = (module(x, prior) - module(x, changed)).abs().amax((0, 1)) > 1e-6
    rows, columns = moved.nonzero().T
    assert moved.any()
    assert max((rows - 16).abs().max(), (columns - 16).abs().max()) <= 5  # 3 x 3 kernel, twice a window of 5 x 5


def test_frequency_blocks_start_from_their_input() -> None:
    module = LocalFrequencyBlock(8)
    for parameter in module.join.parameters():
        nn.init.zeros_(parameter)
    x = torch.rand(1, 8, 16, 16)
    torch.testing.assert_close(module(x), module.before(x))
