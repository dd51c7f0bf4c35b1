"""Adapters of low rank: what is folded is what peft computes, and a file holds no more than it must."""

import pytest
import torch
from torch import nn

from headroom.errors import WeightsError
from headroom.nn.low_rank import adapters_of, add_adapters, folded

SCALE = 0.5
LAYERS = (r"first", r"body\.\d+\.\w+")


class Small(nn.Module):
    """Convolutions of several kinds and a linear layer, each to be adapted, and one layer that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.body = nn.ModuleList([nn.ModuleDict({"mix": nn.Conv2d(8, 6, 1, bias=False), "linear": nn.Linear(6, 5)})])
        self.last = nn.Linear(5, 2)

    def forward(self, x):
        x = self.body[0]["mix"](self.first(x))
        return self.last(self.body[0]["linear"](x.mean((2, 3))))


def adapted(trained=()):
    torch.manual_seed(0)
    network = Small()
    add_adapters(network, LAYERS, rank=4, scale=SCALE, trained=trained)
    return network


def learned(network):
    """Change everything that may learn."""
    for parameter in network.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.5)
    return network


def plain(state):
    network = Small()
    network.load_state_dict(state)
    return network


def test_new_adapters_change_nothing():
    torch.manual_seed(0)
    before, x = Small(), torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(adapted()(x), before(x))


def test_only_adapters_and_the_chosen_modules_learn():
    names = {name for name, parameter in adapted(["first"]).named_parameters() if parameter.requires_grad}
    layers = ("first", "body.0.mix", "body.0.linear")
    adapters = {f"{layer}.lora_{half}.default.weight" for layer in layers for half in "AB"}
    assert names == adapters | {"first.base_layer.weight", "first.base_layer.bias"}


def test_folded_weights_compute_what_adapters_do():
    network, x = learned(adapted()), torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(plain(folded(network.state_dict(), SCALE))(x), network(x), atol=1e-5, rtol=1e-5)


def test_folded_weights_are_those_that_peft_merges():
    network = learned(adapted())
    state = folded(network.state_dict(), SCALE)
    for name, module in network.named_modules():
        if hasattr(module, "merge"):
            module.merge()
            torch.testing.assert_close(state[f"{name}.weight"], module.base_layer.weight, atol=1e-6, rtol=1e-5)


def test_a_file_of_adapters_goes_over_the_weights_they_were_added_to():
    torch.manual_seed(0)
    base = Small().state_dict()
    network, x = learned(adapted(["first", "last"])), torch.rand(2, 3, 8, 8)
    small = adapters_of(network.state_dict(), ["first", "last"])
    assert {name for name in small if "lora" not in name} == {"first.weight", "first.bias", "last.weight", "last.bias"}
    assert "body.0.linear.lora_A.weight" in small
    torch.testing.assert_close(plain(folded(base | small, SCALE))(x), network(x), atol=1e-5, rtol=1e-5)


def test_several_adapters_of_a_layer_add_up():
    torch.manual_seed(0)
    base = Small().state_dict()
    halves = {"last.lora_A.one.weight": torch.rand(4, 5), "last.lora_B.one.weight": torch.rand(2, 4)}
    others = {name.replace("one", "other"): value for name, value in halves.items()}
    once = folded(base | halves, SCALE)["last.weight"] - base["last.weight"]
    twice = folded(base | halves | others, SCALE)["last.weight"] - base["last.weight"]
    torch.testing.assert_close(twice, 2 * once)


@pytest.mark.parametrize("missing", ["first.lora_B.weight", "first.weight"])
def test_a_half_adapter_is_named(missing):
    state = Small().state_dict() | adapters_of(adapted().state_dict())
    del state[missing]
    with pytest.raises(WeightsError, match=missing):
        folded(state, SCALE)


def test_an_adapter_of_another_layer_is_refused():
    state = Small().state_dict() | adapters_of(adapted().state_dict())
    state["first.lora_A.weight"] = torch.rand(4, 2, 3, 3)
    with pytest.raises(WeightsError, match="does not fit"):
        folded(state, SCALE)


def test_unknown_layers_are_an_error():
    with pytest.raises(ValueError, match="nowhere"):
        add_adapters(Small(), ["nowhere"], rank=4, scale=SCALE)
