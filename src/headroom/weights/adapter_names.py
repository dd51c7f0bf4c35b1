"""One spelling of the names that peft gives to adapters of low rank, and to the layers that have them.

peft calls the weight of a layer `X.base_layer.weight` and the two halves of its adapter `X.lora_A.ADAPTER.weight` and
`X.lora_B.ADAPTER.weight`; all names of a network that it wrapped as a whole start with `base_model.model.`. Files of
adapters alone leave out some of that, or all.
"""

from __future__ import annotations

import re

_WRAPPER = "base_model.model."
_ADAPTER = re.compile(r"\.(lora_[AB])\.[^.]+\.weight$")


def plain_name(name: str) -> str:
    """Leave out what peft adds to the name of a tensor, but for `lora_A` and `lora_B`; other names stay."""
    return _ADAPTER.sub(r".\1.weight", name.replace(_WRAPPER, "").replace(".base_layer.", "."))
