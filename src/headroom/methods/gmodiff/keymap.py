"""Released checkpoints of GMODiff.

The regressor keeps its names. `gmodiff.pkl` holds four tables: of the U-Net, of two autoencoders, and of what makes
tokens. Source: the released code, which saves them, and of its second autoencoder a decoder that nothing uses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator

import torch

from headroom.methods.gmodiff.adapting import ADAPTED, PAINTING
from headroom.methods.gmodiff.regressors import build_regressor
from headroom.methods.gmodiff.settings import DaRegSettings
from headroom.methods.gmodiff.tokens import Tokens
from headroom.nn.latent.keymap import condition_encoder_table, unet_table, vae_table
from headroom.nn.latent.released import AUTOENCODER, DENOISER
from headroom.weights.layout import Layout, Part, Table, below, unchanged

_UNET, _AUTOENCODER, _CONDITION, _TOKENS = "state_dict_unet.", "state_dict_vae.", "state_dict_vae_c.", "proj."
_UNUSED = (f"{_CONDITION}decoder.", f"{_CONDITION}post_quant_conv.")

_FIRST_LAYER = ("conv_in.weight", "conv_in.bias")
_SKIPS = (1, 2, 3, 4)
_SKIP = ("conv1.weight", *(f"mlp.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")))
_TOKEN_WIDTH = 1024
_LICENCE = "unknown: see gbymat/GMODiff"


@functools.cache
def layouts() -> tuple[Layout, ...]:
    """Return the layouts of `dareg_mask.pth` and of `gmodiff.pkl`."""
    with torch.device("meta"):
        regressor = build_regressor(DaRegSettings())
        tokens = Tokens(regressor.features_channels, regressor.features_factor, _TOKEN_WIDTH)
    bare = Part("regressor", (unchanged(regressor.state_dict().keys()),))
    parts = (
        Part("U-Net", _ways(DENOISER, unet_table().keys(), _UNET, _FIRST_LAYER)),
        Part("autoencoder", _ways(AUTOENCODER, vae_table().keys(), _AUTOENCODER)),
        *(Part(f"skip {number}", _skip(number)) for number in _SKIPS),
        Part("condition encoder", _ways("condition_encoder.", condition_encoder_table().keys(), _CONDITION)),
        Part("tokens", (below("tokens.", unchanged(tokens.state_dict().keys()), _TOKENS),)),
    )
    return (
        Layout("gmodiff_dareg", "GMODiff's regressor with its mask", _LICENCE, (bare,)),
        Layout("gmodiff_refiner", "GMODiff's refiner", _LICENCE, parts, _UNUSED, exact=True),
    )


def _skip(number: int) -> tuple[Table, ...]:
    return _ways(f"skips.{number - 1}.", _SKIP, f"{_AUTOENCODER}decoder.skip_conv_{number}.", _SKIP)


def _ways(ours: str, names: Collection[str], released: str, learned: Collection[str] = ()) -> tuple[Table, ...]:
    """Return how a part may be saved: its adapters alone, as released; all of it with these folded in, or beside it.

    Args:
        ours: What our names start with.
        names: Of all its tensors, behind that.
        released: What the released names start with.
        learned: Names of tensors that come with the adapters, because they learned as a whole.
    """
    adapters = list(_adapters(ours, names))
    ways = ((*learned, *adapters), names, (*names, *adapters))
    return tuple(below(ours, unchanged(way), released) for way in ways)


def _adapters(part: str, names: Collection[str]) -> Iterator[str]:
    """Yield the names of both halves of each adapter that a part with tensors of these names has."""
    for layer in (name.removesuffix(".weight") for name in names):
        if any(re.fullmatch(pattern, part + layer) for pattern in (*ADAPTED, PAINTING)):
            yield from (f"{layer}.lora_{half}.weight" for half in "AB")
