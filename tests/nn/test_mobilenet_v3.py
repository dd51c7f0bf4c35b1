"""MobileNetV3-Large: table 1 of the paper written out, closed forms, and torchvision where it is installed."""

import math

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from headroom.errors import WeightsError
from headroom.nn.mobilenet_v3 import FEATURE_CHANNELS, MobileNetV3Features, SqueezeExcitation, load_imagenet_encoder

# Stage: input and expanded channels, output channels, kernel, channels after the squeeze (0: none), total stride.
TABLE = {
    1: (16, 16, 16, 3, 0, 2),
    2: (16, 64, 24, 3, 0, 4),
    3: (24, 72, 24, 3, 0, 4),
    4: (24, 72, 40, 5, 24, 8),
    5: (40, 120, 40, 5, 32, 8),
    6: (40, 120, 40, 5, 32, 8),
    7: (40, 240, 80, 3, 0, 16),
    8: (80, 200, 80, 3, 0, 16),
    9: (80, 184, 80, 3, 0, 16),
    10: (80, 184, 80, 3, 0, 16),
    11: (80, 480, 112, 3, 120, 16),
    12: (112, 672, 112, 3, 168, 16),
    13: (112, 672, 160, 5, 168, 32),
    14: (160, 960, 160, 5, 240, 32),
    15: (160, 960, 160, 5, 240, 32),
}


def convolution(prefix, shape):
    norm = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (shape[0],)) | {"num_batches_tracked": ()}
    return {f"{prefix}.0.weight": shape} | {f"{prefix}.1.{name}": size for name, size in norm.items()}


def expected_state():
    """Key names as torchvision's `features` has them, and shapes, from the table alone."""
    state = convolution("0", (16, 3, 3, 3))
    for stage, (inputs, expanded, outputs, kernel, squeezed, _) in TABLE.items():
        layers = [(expanded, inputs, 1, 1)] if expanded != inputs else []
        layers.append((expanded, 1, kernel, kernel))
        layers += ["squeeze"] if squeezed else []
        layers.append((outputs, expanded, 1, 1))
        for index, shape in enumerate(layers):
            prefix = f"{stage}.block.{index}"
            if shape != "squeeze":
                state |= convolution(prefix, shape)
                continue
            state |= {f"{prefix}.fc1.weight": (squeezed, expanded, 1, 1), f"{prefix}.fc1.bias": (squeezed,)}
            state |= {f"{prefix}.fc2.weight": (expanded, squeezed, 1, 1), f"{prefix}.fc2.bias": (expanded,)}
    return state | convolution("16", (960, 160, 1, 1))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MobileNetV3Features().eval()


def test_keys_and_shapes_are_those_of_the_table(network):
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == expected_state()


def test_counts(network):
    assert sum(value.numel() for value in network.parameters()) == 2_971_952
    assert sum(isinstance(module, nn.BatchNorm2d) for module in network.modules()) == 46
    assert len(network) == 17


def test_every_feature_map_has_the_channels_and_scale_of_the_table(network):
    with torch.inference_mode():
        maps = network.feature_maps(torch.rand(2, 3, 64, 96))
    scales = {0: (16, 2), 16: (960, 32)} | {stage: (row[2], row[5]) for stage, row in TABLE.items()}
    for stage, (channels, stride) in scales.items():
        assert maps[stage].shape == (2, channels, 64 // stride, 96 // stride)
        assert FEATURE_CHANNELS[stage] == channels


def test_feature_maps_end_with_the_forward_pass(network):
    x = torch.randn(1, 3, 32, 32)
    assert torch.equal(network.feature_maps(x)[-1], network(x))


def test_first_stage_ends_in_hard_swish(network):
    x = torch.randn(1, 3, 32, 32)
    linear = network[0][1](network[0][0](x))
    torch.testing.assert_close(network[0](x), linear * (linear + 3).clamp(0, 6) / 6)


def test_squeeze_excitation_closed_form():
    squeeze = SqueezeExcitation(16)
    assert squeeze.fc1.out_channels == 8  # 16 / 4, but never below 8
    nn.init.constant_(squeeze.fc1.weight, 1 / 16)
    nn.init.zeros_(squeeze.fc1.bias)
    nn.init.constant_(squeeze.fc2.weight, 1 / 8)
    nn.init.constant_(squeeze.fc2.bias, 0.5)
    x = torch.rand(3, 16, 5, 4)
    mean = x.mean((1, 2, 3), keepdim=True)  # both layers average
    torch.testing.assert_close(squeeze(x), x * ((mean + 0.5 + 3) / 6))
    nn.init.constant_(squeeze.fc2.bias, -math.inf)
    assert torch.equal(squeeze(x), torch.zeros_like(x))


def test_residual_only_where_the_shapes_agree(network):
    assert [i for i, stage in enumerate(network) if getattr(stage, "residual", False)] == [
        1, 3, 5, 6, 8, 9, 10, 12, 14, 15,
    ]  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "features."])
def test_weights_of_a_classifier_or_of_its_features_load(network, tmp_path, prefix):
    path, fresh = tmp_path / "encoder.safetensors", MobileNetV3Features().eval()
    state = {prefix + key: value for key, value in network.state_dict().items()}
    save_file(state | ({"classifier.0.bias": torch.zeros(3)} if prefix else {}), path)
    load_imagenet_encoder(fresh, path)
    x = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(fresh(x), network(x))


def test_other_weights_are_refused(tmp_path):
    save_file({"features.0.0.weight": torch.zeros(16, 3, 3, 3)}, tmp_path / "small.safetensors")
    missing = len(expected_state()) - 1
    with pytest.raises(WeightsError, match=rf"small\.safetensors.*and {missing - 10} more"):
        load_imagenet_encoder(MobileNetV3Features(), tmp_path / "small.safetensors")


def test_torchvision_computes_the_same(network, torchvision):
    reference = torchvision.models.mobilenet_v3_large(weights=None).features.eval()
    with torch.no_grad():
        for value in reference.state_dict().values():  # BatchNorm statistics that differ from 0 and 1 count as well
            if value.is_floating_point():
                value.add_(torch.rand_like(value) * 0.1)
        network = MobileNetV3Features().eval()
        network.load_state_dict(reference.state_dict())
        x = torch.randn(1, 3, 64, 64)
        torch.testing.assert_close(network(x), reference(x), rtol=1e-5, atol=1e-5)
