"""Names of the text encoder in released checkpoints, and in transformers' `CLIPTextModel`.

Stable Diffusion 1.x holds CLIP's own, by the names of transformers; 2.x holds OpenCLIP's, which stacks queries, keys
and values, and whose last layer is not used.
"""

from __future__ import annotations

from headroom.weights.layout import Piece, Table

CLIP_LAYERS, OPEN_CLIP_LAYERS = 12, 23
"""Layers of the encoders of 1.x and of 2.x; the latter has one more that nothing reads."""

_TEXT = "text_model."
_BOTH = ("weight", "bias")


def clip_table(layers: int = CLIP_LAYERS) -> Table:
    """Return the tensors of `CLIPTextModel`, by their names there."""
    return {name: Piece(name) for name in open_clip_table(layers)}


def open_clip_table(layers: int = OPEN_CLIP_LAYERS) -> Table:
    """Return OpenCLIP's tensors, by the names of `CLIPTextModel`."""
    table = {
        f"{_TEXT}embeddings.token_embedding.weight": Piece("token_embedding.weight"),
        f"{_TEXT}embeddings.position_embedding.weight": Piece("positional_embedding"),
    }
    for layer in range(layers):
        table |= _layer(f"{_TEXT}encoder.layers.{layer}", f"transformer.resblocks.{layer}")
    return table | {f"{_TEXT}final_layer_norm.{kind}": Piece(f"ln_final.{kind}") for kind in _BOTH}


def _layer(ours: str, released: str) -> dict[str, Piece]:
    modules = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    table = {
        f"{ours}.{own}.{kind}": Piece(f"{released}.{theirs}.{kind}")
        for own, theirs in modules.items()
        for kind in _BOTH
    }
    return table | {
        f"{ours}.self_attn.{x}_proj.{kind}": Piece(f"{released}.attn.in_proj_{kind}", third=third)
        for third, x in enumerate("qkv")
        for kind in _BOTH
    }
