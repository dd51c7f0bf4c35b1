"""The paper's regressor: numbers of parameters, keys, and the equations written out plainly."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.gmodiff.dareg import DaReg
from headroom.methods.gmodiff.fusion import ExposureFusion
from headroom.methods.gmodiff.method import METHOD
from headroom.methods.gmodiff.naf import LayerNorm2d, NAFBlock
from headroom.restore.bracket_input import pad_merge_input
from headroom.weights.reader import load_into


def parameters(*networks: nn.Module) -> int:
    return sum(parameter.numel() for network in networks for parameter in network.parameters())


def released_size() -> DaReg:
    """Build the preset without storage."""
    with torch.device("meta"):
        built = METHOD.build(METHOD.presets["regressor_paper"].settings)
    assert isinstance(built, DaReg)
    return built


def tiny() -> DaReg:
    """The preset's sizes, at a sixteenth of its width; every layer has a say."""
    torch.manual_seed(0)
    built = DaReg((4, 8, 8, 8, 16), (2, 2, 2, 4), (1, 1, 1, 1), (1, 1, 1, 1), 4)
    for name, parameter in built.named_parameters():
        if name.endswith(("beta", "gamma")):
            nn.init.normal_(parameter, std=0.5)
    return built.eval()


def bracket(height: int, width: int) -> MergeInput:
    """Three exposures of noise."""
    exposure = torch.tensor([[1.0, 4.0, 16.0]])
    scene = torch.rand(1, 1, 3, height, width, generator=torch.Generator().manual_seed(0)) ** 3
    own = (scene * exposure.view(1, 3, 1, 1, 1)).clamp(max=1)
    return MergeInput(own ** (1 / 2.2), own / exposure.view(1, 3, 1, 1, 1), exposure, torch.tensor([1]))


def test_parameters_and_keys() -> None:
    network = released_size()
    assert parameters(network) == 48_329_220
    assert parameters(network.encoder_adapt_convs, network.seg_conv_layers) == 38_529
    assert len(network.state_dict()) == 532


def test_the_names_of_the_release() -> None:
    """Names and shapes are those that the released code gives its layers."""
    shapes = {name: tuple(tensor.shape) for name, tensor in released_size().state_dict().items()}
    expected = {
        "intro_0.weight": (64, 6, 3, 3),
        "intro_2.bias": (64,),
        "fusion.att11.weight": (128, 128, 3, 3),
        "fusion.att32.weight": (64, 128, 3, 3),
        "fusion.conv2.weight": (64, 192, 3, 3),
        "encoders.0.0.norm1.weight": (64,),
        "encoders.3.7.conv2.weight": (1024, 1, 3, 3),
        "encoders.3.7.sca.1.weight": (512, 512, 1, 1),
        "encoders.1.3.beta": (1, 128, 1, 1),
        "downs.0.0.weight": (128, 64, 2, 2),
        "downs.3.0.weight": (1024, 512, 4, 4),
        "middle_blks.0.conv4.weight": (2048, 1024, 1, 1),
        "ups.0.0.weight": (512 * 16, 1024, 1, 1),
        "ups.3.0.weight": (64 * 4, 128, 1, 1),
        "decoders.0.1.conv5.bias": (512,),
        "decoders.3.1.gamma": (1, 64, 1, 1),
        "ending.weight": (64, 64, 3, 3),
        "outconv.weight": (3, 64, 3, 3),
        "encoder_adapt_convs.3.weight": (16, 512, 1, 1),
        "seg_conv_layers.0.weight": (32, 64, 3, 3),
        "seg_conv_layers.2.weight": (16, 32, 3, 3),
        "seg_conv_layers.4.weight": (1, 16, 1, 1),
    }
    assert {name: shapes.get(name) for name in expected} == expected
    assert "ups.0.0.bias" not in shapes


@pytest.mark.parametrize("prefix", ["", "module.", "state_dict.", "state_dict.module."])
def test_a_released_dictionary_is_taken(prefix: str) -> None:
    network = tiny()
    released: dict[str, Tensor] = {prefix + name: tensor for name, tensor in network.state_dict().items()}
    if prefix.startswith("state_dict."):
        released |= {"epoch": torch.tensor(3), "optimizer.state.0.exp_avg": torch.zeros(2)}
    load_into(network, METHOD.own_names(released), "dareg_mask.pth")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (32, 32), (33, 70)])
def test_any_size(height: int, width: int) -> None:
    capabilities = METHOD.presets["regressor_paper"].capabilities
    padded = pad_merge_input(bracket(height, width), capabilities.size_multiple, capabilities.minimum_size_px)
    with torch.no_grad():
        found = tiny()(padded)
    assert found.gain.shape == padded.encoded[:, 0].shape
    assert found.unreliable.shape == found.gain[:, :1].shape
    assert float(found.gain.min()) > 0
    assert float(found.gain.max()) < 1


def test_normalisation_is_that_of_each_pixel() -> None:
    x = torch.randn(2, 6, 3, 4)
    norm = LayerNorm2d(6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    mean, variance = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    expected = (x - mean) / (variance + 1e-6).sqrt() * norm.weight.view(1, -1, 1, 1) + norm.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(norm(x), expected)


def test_a_block_starts_from_its_input_and_gates() -> None:
    torch.manual_seed(0)
    block, x = NAFBlock(4), torch.randn(2, 4, 5, 6)
    assert torch.equal(block(x), x)
    nn.init.constant_(block.beta, 0.7)
    hidden = block.conv2(block.conv1(block.norm1(x)))
    gated = hidden[:, :4] * hidden[:, 4:]
    weighed = gated * F.linear(gated.mean((2, 3)), block.sca[1].weight[:, :, 0, 0], block.sca[1].bias)[:, :, None, None]
    torch.testing.assert_close(block(x), x + 0.7 * block.conv3(weighed))


def test_fusion_attends_to_the_reference() -> None:
    torch.manual_seed(0)
    fusion = ExposureFusion(3)
    short, reference, long = torch.randn(3, 1, 3, 8, 8)

    def attention(first: nn.Conv2d, second: nn.Conv2d, frame: Tensor) -> Tensor:
        return torch.sigmoid(second(F.leaky_relu(first(torch.cat((frame, reference), 1)), 0.01)))

    kept_short = short * attention(fusion.att11, fusion.att12, short)
    kept_long = long * attention(fusion.att31, fusion.att32, long)
    expected = fusion.conv2(torch.cat((kept_short, reference, kept_long), 1))
    torch.testing.assert_close(fusion(short, reference, long), expected)


def test_radiance_comes_before_codes() -> None:
    network, given = tiny(), bracket(32, 32)
    seen: list[Tensor] = []
    network.intro_0.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
    with torch.no_grad():
        network(given)
    assert torch.equal(seen[0], torch.cat((given.linear[:, 0], given.encoded[:, 0]), dim=1))
