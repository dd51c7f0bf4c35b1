"""Recognising released checkpoints; the layouts are written out here from their description, not from the table."""

import pytest
import torch

from headroom.errors import WeightsError
from headroom.methods.hybrid_ae.keymap import layouts
from headroom.methods.hybrid_ae.paper import MODEL_A, MODEL_B, PAPER, build_paper
from headroom.methods.hybrid_ae.unet import UNetSettings, build_unet
from headroom.nn.mobilenet_v3 import MobileNetV3Features
from headroom.weights.layout import recognise, rename
from headroom.weights.reader import load_into


def meta(build, *settings):
    with torch.device("meta"):
        return build(*settings)


def to_own_names(state):
    """Return the name of the layout that is recognised, and the tensors by our names."""
    layout = recognise(layouts(), state.keys())
    return layout.name, rename(layout.tables(state.keys())["network"], state)


def released_model_a():
    """`model_a`'s tensors by name, without storage."""
    shapes = {}

    def convolution(name, outputs, inputs, kernel):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs, kernel, kernel), (outputs,)

    convolution("decoder.bottleneck.0", 1472, 960, 1)
    convolution("decoder.bottleneck.2", 1472, 1472, 1)
    for i, (inputs, skip, outputs) in enumerate([(1472, 112, 480), (480, 40, 160), (160, 24, 64), (64, 16, 32)], 1):
        convolution(f"decoder.up{i}.upsample.0", 4 * inputs, inputs, 3)
        convolution(f"decoder.up{i}.conv_block.0", outputs, inputs + skip, 3)
        convolution(f"decoder.up{i}.conv_block.2", outputs, outputs, 3)
    convolution("decoder.final.1", 16, 32, 3)
    convolution("decoder.final.3", 3, 16, 1)
    encoder = meta(MobileNetV3Features).state_dict()
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    return {f"encoder.features.{key}": value for key, value in encoder.items()} | state


def test_model_a_loads_strictly_under_our_names():
    released = released_model_a()
    layout, state = to_own_names(released)
    assert layout == "hybrid_ae_model_a"
    assert len(state) == len(released)
    load_into(meta(build_paper, MODEL_A), state, "model_a")


def test_renaming_keeps_each_tensor():
    released = released_model_a()
    _, state = to_own_names(released)
    assert state["up2.conv2.conv.bias"] is released["decoder.up3.conv_block.2.bias"]
    assert state["up0.up.0.weight"] is released["decoder.up1.upsample.0.weight"]
    assert state["encoder.4.block.2.fc1.bias"] is released["encoder.features.4.block.2.fc1.bias"]


@pytest.mark.parametrize(("build", "settings", "layout"), [
    (build_paper, MODEL_B, "model_b"),
    (build_paper, PAPER, "paper"),
    (build_unet, UNetSettings(upsample="nearest"), "unet"),
    (build_unet, UNetSettings(upsample="pixelshuffle"), "unet"),
])  # fmt: skip
def test_other_layouts_keep_their_names(build, settings, layout):
    state = meta(build, settings).state_dict()
    found, same = to_own_names(state)
    assert found == f"hybrid_ae_{layout}"
    assert same.keys() == state.keys()


def test_near_miss_names_what_is_missing():
    keys = set(meta(build_paper, MODEL_B).state_dict()) - {"up3.up.bias"} | {"optimizer"}
    with pytest.raises(WeightsError, match=r"layout hybrid_ae_model_b, but up3\.up\.bias is missing\. Give"):
        recognise(layouts(), keys)


def test_far_miss_names_ten_at_most():
    with pytest.raises(WeightsError, match=r"and 40 more") as caught:
        recognise(layouts(), [f"layer{i}" for i in range(50)])
    assert str(caught.value).count("layer") == 10
