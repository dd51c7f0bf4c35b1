"""What of a refiner learns, and how files of it, of a prior and of a regressor become one network."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from headroom.methods.gmodiff.refiner import widened_weight
from headroom.nn.low_rank import adapters_of, folded

RANK, SCALE = 16, 0.5
"""Of all adapters (GMODiff's released options; its scale is what peft makes of its default)."""

_LAYER = r"(.+\.)?(conv(1|2|_in|_out|_shortcut)?|to_[qkv]|to_out\.0|proj_in|proj_out|ff\.net\.(0\.proj|2))"
ADAPTED = (
    rf"denoiser\.{_LAYER}",
    rf"(autoencoder|condition_encoder)\.encoder\.{_LAYER}",
    r"(autoencoder|condition_encoder)\.quant_conv",
    rf"autoencoder\.decoder\.(?!conv_out){_LAYER}",
    r"skips\.\d+\.(conv1|mlp\.[02])",
)
"""Layers with adapters: all but those that see the step."""
EXPECTING = r"expecting\.(stem|head|down\.\d+|context\.[02]|.+\.(conv[12]|reduce|modulation))"
"""Have some as well where it is told what to expect: of a bracket's reference instead of any photo."""
PAINTING = r"autoencoder\.decoder\.conv_out"
"""Has one as well where the map is painted anew, which is made by this layer."""

_CONV_IN = "denoiser.conv_in.weight"
NEW = ("tokens", "skips", "residual")
"""Modules that neither a prior nor a regressor has."""
TRAINED = ("denoiser.conv_in", *NEW, "regressor.encoder_adapt_convs", "regressor.seg_conv_layers")
"""Modules that learn as a whole, among them the mask's head, which was taught with few brackets."""
_PRIOR = ("autoencoder.", "denoiser.", "condition_encoder.", "latent_", "learned_context")
_REFINER = (*_PRIOR, "tokens.", "skips.", "residual.", "regressor.", "expecting.")
_OF_GAIN_NETWORK = "stem.weight"


def shipped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Choose what a trained refiner's own file holds: adapters, what learned as a whole, and the regressor.

    The regressor's file cannot stand beside that of the network that tells what to expect: both have a `head`.
    """
    return adapters_of(state, (*TRAINED, "regressor"))


def named(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give weights of a part the names that they have in a refiner.

    Args:
        state: Weights of a prior, a regressor, the network that tells what to expect, or a refiner; of several
            together if a regressor's have the refiner's names.
    """
    part = "expecting" if _OF_GAIN_NETWORK in state else "regressor"
    return {name if name.startswith(_REFINER) else f"{part}.{name}": value for name, value in state.items()}


def completed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights of a refiner that come from several files, and fill in what is a copy at first.

    Args:
        state: See `named`.

    Returns:
        Weights by the refiner's names, with adapters where there are any.
    """
    known = named(state)
    for name, value in state.items():
        part = name.removeprefix("autoencoder.")
        if part != name and part.startswith(("encoder.", "quant_conv.")) and "lora" not in name:
            known.setdefault(f"condition_encoder.{part.replace('.base_layer.', '.')}", value)
    return known


def plain(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fold the adapters in; see `completed`."""
    return folded(completed(state), SCALE)


def widened(state: Mapping[str, Tensor], channels: int) -> dict[str, Tensor]:
    """Let the denoiser of a prior take `channels` in all."""
    first = state.get(_CONV_IN)
    if first is None or first.shape[1] >= channels:
        return dict(state)
    return {**state, _CONV_IN: widened_weight(first, channels - first.shape[1])}
