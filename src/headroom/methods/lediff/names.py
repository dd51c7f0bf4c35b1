"""From the names in weights files to those of the network.

Files hold what they have to: the latent prior and the network of hybrid_ae, which other methods draw on as well, a
decoder with its fusion, and for each direction what its denoiser differs in, by adapters of low rank. The network has
the prior and the decoder in each direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from headroom.methods.lediff.exposer import DIRECTIONS, Direction, Part
from headroom.nn.low_rank import adapters_of, folded

ADAPTER_SCALE = 1.0
WHOLE_LAYERS = ("conv_in", "conv_out")
"""Layers of the denoiser that learn as a whole: the prior's take and give fewer channels."""

_DECODER = ("autoencoder.decoder.", "autoencoder.post_quant_conv.", "fusion.")
_CRITIC = "critic."
_PRIOR = ("autoencoder.", "denoiser.", "latent_", "learned_context")
_ANCHOR = ("stem.", "encoder.", "down.", "bottleneck_norm.", "context.", "decoder.", "head_norm.", "head.")
"""What the file of hybrid_ae's network has."""


def own_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give each direction whose denoiser there is all of its own, both where there is the prior's; see `filled`."""
    own = [direction for direction in DIRECTIONS if _below(f"{direction}.denoiser", state)]
    return filled(state, own or DIRECTIONS)


def filled(state: Mapping[str, Tensor], directions: Sequence[Direction]) -> dict[str, Tensor]:
    """Give directions their own weights, else those of the latent prior, and fold adapters.

    A decoder that one direction alone has is that of both. The critic of a training is left out.

    Args:
        state: Weights of a whole network, of one in training, or of several files together.
        directions: Those to fill.

    Raises:
        WeightsError: See `folded`.
    """
    prior = {name: value for name, value in state.items() if name.startswith(_PRIOR)}
    own = {direction: _below(direction, state) for direction in DIRECTIONS}
    decoder = {name: x for part in own.values() for name, x in part.items() if name.startswith(_DECODER)}
    elsewhere = (*_PRIOR, *DIRECTIONS, *_ANCHOR, _CRITIC)
    named = {name: value for name, value in state.items() if not name.startswith(elsewhere)}
    named |= {f"anchor.{name}": value for name, value in state.items() if name.startswith(_ANCHOR)}
    for direction in directions:
        whole = folded({**prior, **decoder, **own[direction]}, ADAPTER_SCALE)
        named |= {f"{direction}.{name}": value for name, value in whole.items()}
    return named


def shipped(state: Mapping[str, Tensor], part: Part, direction: Direction) -> dict[str, Tensor]:
    """Choose what a file of one part holds, of the weights of a network in training."""
    if part == "decoder":
        return {
            name: x for name, x in state.items() if name.startswith(tuple(f"{direction}.{each}" for each in _DECODER))
        }
    return adapters_of(state, [f"{direction}.denoiser.{layer}" for layer in WHOLE_LAYERS])


def _below(part: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{part}."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
