"""Names of the U-Net, the autoencoder and their control branch in released checkpoints, and in diffusers.

Released checkpoints of Stable Diffusion 1.x and 2.x, and what was made from them, number the U-Net's layers from its
input to its output (`input_blocks.4.1` is an attention of the second level); diffusers names them by level. Layers have
the same names in all versions; their sizes differ. Source: the names themselves, in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from headroom.weights.layout import Piece, Table

Pair = tuple[str, str]
"""Our name of a module, and the released one."""

_LEVELS = 4
_LAYERS = 2  # residual blocks of each level; the decoder has one more
_RESIDUAL = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
)
_ATTENTION = ("attn1", "attn2")
_TIME = (("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"))


def unet_table() -> Table:
    """Return the 686 tensors of `UNet2DConditionModel`, by their names there."""
    pieces = _pieces([*_unet_encoder(), *_unet_decoder(), ("conv_norm_out", "out.0"), ("conv_out", "out.2")])
    return pieces | _without_bias([*_unet_attentions(encoder=True), *_unet_attentions(encoder=False)])


def control_table() -> Table:
    """Return the 324 tensors of a control branch, by the names of `ControlNetModel`."""
    zeros = [(f"controlnet_down_blocks.{i}", f"zero_convs.{i}.0") for i in range(_LEVELS * (_LAYERS + 1))]
    pairs = [*_unet_encoder(), *zeros, ("controlnet_mid_block", "middle_block_out.0")]
    return _pieces(pairs) | _without_bias(_unet_attentions(encoder=True))


def _unet_encoder() -> Iterator[Pair]:
    """Yield the modules with weight and bias from the input to the middle."""
    yield from (*_TIME, ("conv_in", "input_blocks.0.0"))
    for level in range(_LEVELS):
        first = 1 + level * (_LAYERS + 1)
        for layer in range(_LAYERS):
            released = f"input_blocks.{first + layer}.0"
            yield from _residual(f"down_blocks.{level}.resnets.{layer}", released)
            if level in {1, 2} and layer == 0:  # where the width grows
                yield f"down_blocks.{level}.resnets.0.conv_shortcut", f"{released}.skip_connection"
        if level < _LEVELS - 1:
            yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{first + _LAYERS}.0.op"
    yield from _residual("mid_block.resnets.0", "middle_block.0")
    yield from _residual("mid_block.resnets.1", "middle_block.2")
    for ours, released in _places(encoder=True):
        yield from _transformer(ours, released)


def _unet_decoder() -> Iterator[Pair]:
    """Yield the modules with weight and bias from behind the middle to before the output."""
    for level in range(_LEVELS):
        first = level * (_LAYERS + 1)
        for layer in range(_LAYERS + 1):
            ours, released = f"up_blocks.{level}.resnets.{layer}", f"output_blocks.{first + layer}.0"
            yield from _residual(ours, released)
            yield f"{ours}.conv_shortcut", f"{released}.skip_connection"
        if level < _LEVELS - 1:  # behind the attention, where there is one
            behind = 1 if level == 0 else 2
            yield f"up_blocks.{level}.upsamplers.0.conv", f"output_blocks.{first + _LAYERS}.{behind}.conv"
    for ours, released in _places(encoder=False):
        yield from _transformer(ours, released)


def _places(*, encoder: bool) -> Iterator[Pair]:
    """Yield the attentions: in the three finer levels, and in the middle."""
    if encoder:
        for level in range(_LEVELS - 1):
            for layer in range(_LAYERS):
                yield f"down_blocks.{level}.attentions.{layer}", f"input_blocks.{1 + 3 * level + layer}.1"
        yield "mid_block.attentions.0", "middle_block.1"
    else:
        for level in range(1, _LEVELS):
            for layer in range(_LAYERS + 1):
                yield f"up_blocks.{level}.attentions.{layer}", f"output_blocks.{3 * level + layer}.1"


def _residual(ours: str, released: str) -> Iterator[Pair]:
    yield from ((f"{ours}.{own}", f"{released}.{theirs}") for own, theirs in _RESIDUAL)


def _transformer(ours: str, released: str) -> Iterator[Pair]:
    """Yield an attention's modules with weight and bias, whose names are the same in both."""
    block = "transformer_blocks.0"
    names = ["norm", "proj_in", "proj_out", *(f"{block}.norm{i}" for i in (1, 2, 3))]
    names += [f"{block}.ff.net.0.proj", f"{block}.ff.net.2", *(f"{block}.{name}.to_out.0" for name in _ATTENTION)]
    yield from ((f"{ours}.{name}", f"{released}.{name}") for name in names)


def _unet_attentions(*, encoder: bool) -> Iterator[Pair]:
    """Yield the projections to queries, keys and values, which have no bias."""
    for ours, released in _places(encoder=encoder):
        for name in (f"{attention}.to_{x}" for attention in _ATTENTION for x in "qkv"):
            yield f"{ours}.transformer_blocks.0.{name}", f"{released}.transformer_blocks.0.{name}"


def vae_table() -> Table:
    """Return the 248 tensors of `AutoencoderKL`, by their names there."""
    pairs = [(name, name) for name in ("quant_conv", "post_quant_conv")]
    for coder, levels, layers in (("encoder", "down", _LAYERS), ("decoder", "up", _LAYERS + 1)):
        pairs += [(f"{coder}.{ours}", f"{coder}.{released}") for ours, released in _vae_coder(levels, layers)]
    attentions = [_vae_attention(coder) for coder in ("encoder", "decoder")]
    return _pieces(pairs) | attentions[0] | attentions[1]


def condition_encoder_table() -> Table:
    """Return the tensors of an encoder without its decoder."""
    return {name: piece for name, piece in vae_table().items() if name.startswith(("encoder.", "quant_conv."))}


def _vae_coder(levels: str, layers: int) -> Iterator[Pair]:
    yield from ((name, name) for name in ("conv_in", "conv_out"))
    yield "conv_norm_out", "norm_out"
    for i in (0, 1):
        yield from _vae_residual(f"mid_block.resnets.{i}", f"mid.block_{i + 1}")
    for level in range(_LEVELS):
        # The released decoder counts its levels from the output.
        released = f"up.{_LEVELS - 1 - level}" if levels == "up" else f"down.{level}"
        for layer in range(layers):
            yield from _vae_residual(f"{levels}_blocks.{level}.resnets.{layer}", f"{released}.block.{layer}")
        if level in ({2, 3} if levels == "up" else {1, 2}):  # where the width changes
            yield f"{levels}_blocks.{level}.resnets.0.conv_shortcut", f"{released}.block.0.nin_shortcut"
        if level < _LEVELS - 1:
            yield f"{levels}_blocks.{level}.{levels}samplers.0.conv", f"{released}.{levels}sample.conv"


def _vae_residual(ours: str, released: str) -> Iterator[Pair]:
    yield from ((f"{ours}.{name}", f"{released}.{name}") for name in ("norm1", "conv1", "norm2", "conv2"))


def _vae_attention(coder: str) -> dict[str, Piece]:
    """Return an attention whose projections were released as 1 x 1 convolutions."""
    ours, released = f"{coder}.mid_block.attentions.0", f"{coder}.mid.attn_1"
    norm = _pieces([(f"{ours}.group_norm", f"{released}.norm")])
    names = (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out"))
    return norm | _pieces(((f"{ours}.{own}", f"{released}.{theirs}") for own, theirs in names), linear=True)


def older_vae_table() -> Table:
    """Return the table of files that older versions of diffusers wrote, where the attention has other names."""
    older = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    table = {name: Piece(name, linear=piece.linear) for name, piece in vae_table().items()}
    for name, piece in table.items():
        for new, old in older.items():
            if new in name:
                table[name] = Piece(name.replace(new, old), linear=piece.linear)
    return table


def _pieces(pairs: Iterable[Pair], *, linear: bool = False) -> dict[str, Piece]:
    """Return weight and bias of modules; of a projection, only its weight has two sides too many."""
    return {
        f"{ours}.{kind}": Piece(f"{released}.{kind}", linear=linear and kind == "weight")
        for ours, released in pairs
        for kind in ("weight", "bias")
    }


def _without_bias(pairs: Iterable[Pair]) -> dict[str, Piece]:
    return {f"{ours}.weight": Piece(f"{released}.weight") for ours, released in pairs}
