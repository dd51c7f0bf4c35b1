"""How a file is recognised by the names in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headroom.errors import WeightsError
from headroom.weights.adapter_names import plain_name
from headroom.weights.layout import Layout, Part, recognise, unchanged

LOOSE = Layout("loose", "", "", (Part("all", (unchanged(["a", "b"]),)),), ignored=("of no use",))
EXACT = replace(LOOSE, name="exact", exact=True)


def test_further_tensors_are_left_out_or_refused() -> None:
    names = ["a", "b", "of no use.1", "c", "d"]
    assert recognise([LOOSE], names).unread(names) == {"of no use.1": "of no use", "c": None, "d": None}
    with pytest.raises(WeightsError, match=r"nearest to the layout exact, but c is unknown; d is unknown\. Give"):
        recognise([EXACT], names)
    assert recognise([EXACT], names[:3]) is EXACT


def test_of_ways_that_find_as_much_the_smallest_counts() -> None:
    part = Part("all", (unchanged(["a", "b", "b.more"]), unchanged(["a", "b"])))
    assert part.table(["a", "b"]).keys() == {"a", "b"}
    assert part.table(["a", "b", "b.more"]).keys() == {"a", "b", "b.more"}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("conv_in.weight", "conv_in.weight"),
        ("unet.conv_in.base_layer.bias", "unet.conv_in.bias"),
        ("base_model.model.to_out.0.lora_A.default.weight", "to_out.0.lora_A.weight"),
        ("to_out.0.lora_B.weight", "to_out.0.lora_B.weight"),
        ("lora_A_or_not.weight", "lora_A_or_not.weight"),
    ],
)
def test_names_without_what_peft_adds(name: str, plain: str) -> None:
    assert plain_name(name) == plain
