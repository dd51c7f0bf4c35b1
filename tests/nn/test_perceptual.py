"""LPIPS against the `lpips` package and the plain distance against torchvision, with the same random weights."""

import importlib.util

import pytest
import torch
from safetensors.torch import save_file

from headroom.errors import WeightsError
from headroom.nn.perceptual import LPIPS, LPIPS_CHANNELS, VGG16Features, load_feature_distance, load_lpips

# torchvision's vgg16: index within `features` and output channels of every convolution.
CONVOLUTIONS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256} | dict.fromkeys((17, 19, 21, 24, 26, 28), 512)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A random VGG16 and random positive heads, in the layouts of torchvision and of the lpips package."""
    folder, generator = tmp_path_factory.mktemp("lpips"), torch.Generator().manual_seed(0)
    state, inputs = {}, 3
    for index, outputs in CONVOLUTIONS.items():
        deviation = (2 / (9 * inputs)) ** 0.5
        state[f"features.{index}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=generator) * deviation
        state[f"features.{index}.bias"] = torch.randn(outputs, generator=generator) * 0.1
        inputs = outputs
    save_file(state | {"classifier.6.bias": torch.zeros(3)}, folder / "vgg16.safetensors")
    heads = {
        f"lin{i}.model.1.weight": torch.rand(1, channels, 1, 1, generator=generator)
        for i, channels in enumerate((64, 128, 256, 512, 512))
    }
    save_file(heads, folder / "heads.safetensors")
    return folder / "vgg16.safetensors", folder / "heads.safetensors"


@pytest.fixture(scope="module")
def metric(files):
    return load_lpips(*files)


def pictures(seed, batch=2):
    return torch.rand(batch, 3, 48, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_backbone_is_vgg16():
    network = VGG16Features()
    assert sum(value.numel() for value in network.parameters()) == 14_714_688
    assert {key: tuple(value.shape[:1]) for key, value in network.state_dict().items()} == {
        f"{index}.{name}": (channels,) for index, channels in CONVOLUTIONS.items() for name in ("weight", "bias")
    }
    shapes = [tuple(x.shape) for x in network.feature_maps(torch.rand(1, 3, 32, 16))]
    assert shapes == [(1, channels, 32 >> i, 16 >> i) for i, channels in enumerate(LPIPS_CHANNELS)]


@pytest.mark.filterwarnings(
    "ignore:The parameter 'pretrained' is deprecated", "ignore:Arguments other than a weight enum"
)
def test_lpips_package_computes_the_same(metric, torchvision):
    if importlib.util.find_spec("lpips") is None:
        pytest.skip("the reference, lpips, is not installed")
    import lpips

    reference = lpips.LPIPS(net="vgg", pnet_rand=True, pretrained=False, verbose=False)
    slices = [getattr(reference.net, f"slice{i}") for i in range(1, 6)]
    with torch.no_grad():
        for part in slices:
            for name, layer in part.named_children():
                if layer.state_dict():
                    layer.load_state_dict(metric.features[int(name)].state_dict())
        for ours, theirs in zip(metric.heads, reference.lins, strict=True):
            theirs.model[-1].weight.copy_(ours.weight)
    expected = reference(pictures(1), pictures(2)).flatten()
    torch.testing.assert_close(metric(pictures(1), pictures(2)), expected, rtol=1e-5, atol=1e-7)


def test_distance_of_a_picture_to_itself_is_zero_and_symmetric_otherwise(metric):
    a, b = pictures(1), pictures(2)
    assert torch.equal(metric(a, a), torch.zeros(2))
    torch.testing.assert_close(metric(a, b), metric(b, a))
    assert (metric(a, b) > 0).all()


def test_constant_unit_heads_give_twice_one_minus_the_cosine():
    network = LPIPS()
    with torch.no_grad():
        for head in network.heads:
            head.weight.fill_(1.0)
    a, b = pictures(1), pictures(2)
    maps = [network.features.feature_maps((x - network.shift) / network.scale) for x in (a, b)]
    expected = sum(2 - 2 * torch.cosine_similarity(p, q).mean((1, 2)) for p, q in zip(*maps, strict=True))
    torch.testing.assert_close(network(a, b), expected, rtol=1e-4, atol=1e-5)


def test_gradient_reaches_the_picture_only_and_is_finite_where_features_are_zero(files):
    metric = load_lpips(*files)
    with torch.no_grad():
        metric.features[28].bias.fill_(-1e6)  # relu5_3 is 0 everywhere
    picture = pictures(1).requires_grad_()
    metric(picture, pictures(2)).sum().backward()
    assert torch.isfinite(picture.grad).all()
    assert picture.grad.abs().sum() > 0
    assert all(value.grad is None for value in metric.parameters())


def test_missing_files_are_named(files, tmp_path):
    with pytest.raises(WeightsError, match="torchvision's vgg16"):
        load_lpips(None, files[1])
    with pytest.raises(WeightsError, match="heads"):
        load_lpips(files[0], None)
    with pytest.raises(WeightsError, match=r"absent\.safetensors"):
        load_lpips(tmp_path / "absent.safetensors", files[1])
    with pytest.raises(WeightsError, match="for another network"):
        load_lpips(files[1], files[0])


@pytest.mark.filterwarnings(
    "ignore:The parameter 'pretrained' is deprecated", "ignore:Arguments other than a weight enum"
)
def test_plain_distance_is_that_of_torchvisions_features(files, torchvision):
    ours = load_feature_distance(files[0])
    theirs = torchvision.models.vgg16(weights=None).features.eval()
    theirs.load_state_dict(ours.features.state_dict())
    normalise = torchvision.transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    a, b = (normalise((picture + 1) / 2) for picture in (pictures(1), pictures(2)))
    # Up to relu1_2, relu2_2, relu3_3 and relu4_3.
    expected = sum((theirs[:end](a) - theirs[:end](b)).abs().mean() for end in (4, 9, 16, 23))
    found = ours((pictures(1) + 1) / 2, (pictures(2) + 1) / 2)
    torch.testing.assert_close(found, expected)
    assert not any(parameter.requires_grad for parameter in ours.parameters())
