"""The paper's network: numbers of parameters, the equations written out plainly, sizes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.lf_diff.alignment import AlignmentModule
from headroom.methods.lf_diff.denoiser import DenoisingUNet, PixelAttention
from headroom.methods.lf_diff.frames import short_reference_long
from headroom.methods.lf_diff.method import METHOD
from headroom.methods.lf_diff.network import light
from headroom.methods.lf_diff.paper import Condition, PaperNetwork, PaperSettings
from headroom.methods.lf_diff.prior import LPENet, true_light_cells
from headroom.methods.lf_diff.reconstruction import FrequencyModule, enlarge, split_frequencies
from headroom.methods.lf_diff.transposed_attention import CrossAttention, SelfAttention, TransformerBlock
from headroom.nn.residual import ResidualBlock

TINY = PaperSettings(channels=18, prior_width=8)


def bracket(height: int = 32, width: int = 48, *, count: int = 1, reference: int = 1) -> MergeInput:
    """Three exposures of noise."""
    exposure = torch.tensor([[1.0, 4.0, 16.0]]).expand(count, 3)
    scene = torch.rand(count, 1, 3, height, width, generator=torch.Generator().manual_seed(0)) ** 3
    own = (scene * exposure.view(count, 3, 1, 1, 1)).clamp(max=1)
    return MergeInput(
        own ** (1 / 2.2), own / exposure.view(count, 3, 1, 1, 1), exposure, torch.full((count,), reference)
    )


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "count"),
    [
        (AlignmentModule(6, 60), 496_320),
        (AlignmentModule(96, 60), 642_120),
        (ResidualBlock(60), 64_920),
        (TransformerBlock(60, 6, 2.66), 47_748),
        (SelfAttention(60, 6), 16_026),
        (FrequencyModule(60, 2, 1, 1), 64_920 * 2 + 47_748 + 7_260 + 423),
        (LPENet(96, 48, 3), 209_091),
        (DenoisingUNet(6, 3, 32, (1, 2, 2), 2), 1_625_187),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else str(value),
)
def test_parameters_of_the_parts(network: nn.Module, count: int) -> None:
    assert parameters(network) == count


def test_parameters_of_the_whole() -> None:
    written, matched = (METHOD.build(METHOD.presets[name].settings) for name in ("paper", "paper_matched"))
    assert parameters(written) == 5_366_493
    # Table 3 has 7.48 M without saying whether LPENet, which is not there in use, is counted.
    assert parameters(matched) - 209_091 == pytest.approx(7.48e6, abs=0.02e6)


def test_sizes() -> None:
    torch.manual_seed(0)
    network = PaperNetwork(TINY)
    merged = network(bracket(), torch.rand(1, 3, 32, 48))
    assert merged.tone.shape == (1, 3, 32, 48)
    assert merged.prior_error > 0
    assert merged.noise_error > 0
    z = network.prior.lpenet(true_light_cells(torch.rand(1, 3, 32, 48), 4))
    assert z.shape == (1, 3, 8, 12)
    assert Condition(18, 8, 3)(torch.rand(1, 3, 96, 8, 12)).shape == z.shape


def test_the_cells_of_lpenet_hold_light_and_its_tone() -> None:
    truth = torch.rand(1, 3, 8, 8)
    cells = true_light_cells(truth, 4)
    assert cells.shape == (1, 96, 2, 2)
    tone = torch.log(1 + 5000 * truth) / torch.log(torch.tensor(5001.0))
    torch.testing.assert_close(cells[0, 16 * 1 + 4 * 2 + 3], truth[0, 1, 2::4, 3::4])
    torch.testing.assert_close(cells[0, 48 + 16 * 2], tone[0, 2, ::4, ::4])


@pytest.mark.parametrize("kernel", [2, 4])
def test_both_frequencies_add_up(kernel: int) -> None:
    x = torch.rand(2, 5, 16, 24)
    low, high = split_frequencies(x, kernel)
    assert low.shape == (2, 5, 16 // kernel, 24 // kernel)
    torch.testing.assert_close(enlarge(low, kernel) + high, x)
    torch.testing.assert_close(split_frequencies(torch.ones(1, 1, 8, 8), kernel)[1], torch.zeros(1, 1, 8, 8))


def test_cross_attention_is_equation_9() -> None:
    torch.manual_seed(0)
    module = CrossAttention(6, 3)
    nn.init.constant_(module.temperature, 0.3)
    x, prior = torch.rand(1, 6, 4, 5), torch.rand(1, 3, 4, 5)

    def rows(part: nn.Module, of: Tensor) -> list[Tensor]:
        return [channel.flatten() for channel in part(of)[0]]

    queries, keys, values = rows(module.query, x), rows(module.key, prior), rows(module.value, prior)
    expected = []
    for query in queries:
        alike = [torch.dot(key, query) / (key.norm() * query.norm()) / 0.3 for key in keys]
        weights = torch.stack(alike).exp() / torch.stack(alike).exp().sum()
        expected.append(sum(weight * value for weight, value in zip(weights, values, strict=True)))
    mixed = module.project_out(torch.stack(expected).view(1, 6, 4, 5))
    torch.testing.assert_close(module(x, prior), mixed)


def test_self_attention_is_restormers() -> None:
    torch.manual_seed(0)
    module = SelfAttention(8, 2)
    nn.init.uniform_(module.temperature, 0.5, 2)
    x = torch.rand(2, 8, 4, 5)
    query, key, value = (part.reshape(2, 2, 4, 20) for part in module.qkv_dwconv(module.qkv(x)).chunk(3, dim=1))
    scores = torch.einsum("nhip,nhjp->nhij", query, key)
    scores = scores / (query.norm(dim=-1)[..., None] * key.norm(dim=-1)[:, :, None]) * module.temperature
    mixed = torch.einsum("nhij,nhjp->nhip", scores.softmax(-1), value).reshape(2, 8, 4, 5)
    torch.testing.assert_close(module(x), module.project_out(mixed))


def test_pixel_attention_is_softmax_attention() -> None:
    torch.manual_seed(0)
    module, x = PixelAttention(32), torch.rand(1, 32, 3, 4)
    query, key, value = (part(module.norm(x)).view(32, 12) for part in (module.q, module.k, module.v))
    mixed = value @ (query.T @ key / 32**0.5).softmax(1).T
    torch.testing.assert_close(module(x), x + module.proj_out(mixed.view(1, 32, 3, 4)))


@pytest.mark.parametrize("attention", [SelfAttention(12, 6), CrossAttention(12, 3)], ids=["self", "cross"])
def test_attention_does_not_depend_on_the_size_of_the_picture(attention: nn.Module) -> None:
    """Four copies of a picture give four copies of the result; only sums over pixels could tell."""
    for module in attention.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3):
            nn.init.zeros_(module.weight)
            nn.init.normal_(module.weight[:, :, 1, 1])  # Borders must not tell either.
    inputs = [torch.rand(1, 12, 4, 4), torch.rand(1, 3, 4, 4)][: 1 if isinstance(attention, SelfAttention) else 2]
    with torch.no_grad():
        once, four = attention(*inputs), attention(*(x.repeat(1, 1, 2, 2) for x in inputs))
    torch.testing.assert_close(four, once.repeat(1, 1, 2, 2), rtol=1e-4, atol=1e-5)


def test_the_prior_comes_from_the_generator_alone() -> None:
    torch.manual_seed(0)
    network = PaperNetwork(TINY).eval()
    with torch.no_grad():
        one, same, other = (
            METHOD.run(network, bracket(), torch.Generator().manual_seed(seed), lambda _share: None)
            for seed in (1, 1, 2)
        )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.min() >= 0
    assert one.max() <= 1


def test_frames_are_found_wherever_the_reference_is() -> None:
    for reference in range(3):
        inputs = bracket(reference=reference)
        frames = short_reference_long(inputs)
        for place, index in enumerate((0, reference, 2)):
            assert torch.equal(frames.encoded[:, place], inputs.encoded[:, index])
            assert torch.equal(frames.linear[:, place], inputs.linear[:, index])
            assert torch.equal(frames.exposure[:, place], inputs.exposure[:, index])


def test_light_reaches_both_ends() -> None:
    network = PaperNetwork(TINY)
    nn.init.zeros_(network.reconstruction.tail.weight)
    for bias, expected in ((20.0, 1.0), (-20.0, 0.0)):
        nn.init.constant_(network.reconstruction.tail.bias, bias)  # type: ignore[arg-type]
        with torch.no_grad():
            found = light(network(bracket()))
        torch.testing.assert_close(found, torch.full_like(found, expected))


def test_downsampling_pads_the_far_borders_alone() -> None:
    """As released diffusion code does: the first output of a box filter is a full mean, the last is not."""
    network = DenoisingUNet(6, 3, 32, (1, 2), 1)
    shrink = next(part for part in network.down if type(part).__name__ == "Shrink")
    with torch.no_grad():
        nn.init.constant_(shrink.conv.weight, 1 / (32 * 9))
        nn.init.zeros_(shrink.conv.bias)
        found = shrink(torch.ones(1, 32, 4, 4), torch.zeros(1, 128))
    torch.testing.assert_close(found[0, 0], F.avg_pool2d(F.pad(torch.ones(1, 1, 4, 4), (0, 1, 0, 1)), 3, 2)[0, 0])
