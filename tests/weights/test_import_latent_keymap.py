"""The tables of Stable Diffusion against its layout, rebuilt here layer by layer, and diffusers' own conversion."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from headroom.nn.latent.keymap import condition_encoder_table, control_table, older_vae_table, unet_table, vae_table
from headroom.nn.latent.keymap_text import CLIP_LAYERS, OPEN_CLIP_LAYERS, clip_table, open_clip_table
from headroom.weights.layout import Table, rename

Shape = tuple[int, ...]
Named = Iterator[tuple[str, Shape]]

CONTEXT = {1: 768, 2: 1024}
"""Width of the words' vectors, by Stable Diffusion's version."""


def both(name: str, *weight: int) -> Named:
    yield f"{name}.weight", weight
    yield f"{name}.bias", weight[:1]


def residual(name: str, inputs: int, outputs: int) -> Named:
    yield from both(f"{name}.in_layers.0", inputs)
    yield from both(f"{name}.in_layers.2", outputs, inputs, 3, 3)
    yield from both(f"{name}.emb_layers.1", outputs, 1280)
    yield from both(f"{name}.out_layers.0", outputs)
    yield from both(f"{name}.out_layers.3", outputs, outputs, 3, 3)
    if inputs != outputs:
        yield from both(f"{name}.skip_connection", outputs, inputs, 1, 1)


def transformer(name: str, width: int, version: int) -> Named:
    projection = (width, width) if version == 2 else (width, width, 1, 1)
    yield from both(f"{name}.norm", width)
    yield from both(f"{name}.proj_in", *projection)
    yield from both(f"{name}.proj_out", *projection)
    block = f"{name}.transformer_blocks.0"
    for attention, read in (("attn1", width), ("attn2", CONTEXT[version])):
        yield f"{block}.{attention}.to_q.weight", (width, width)
        yield f"{block}.{attention}.to_k.weight", (width, read)
        yield f"{block}.{attention}.to_v.weight", (width, read)
        yield from both(f"{block}.{attention}.to_out.0", width, width)
    yield from both(f"{block}.ff.net.0.proj", 8 * width, width)  # gated, so twice the usual four
    yield from both(f"{block}.ff.net.2", width, 4 * width)
    for i in (1, 2, 3):
        yield from both(f"{block}.norm{i}", width)


def unet_encoder(version: int, in_channels: int, widths: list[int]) -> Named:
    """Yield the layers up to the middle, and fill `widths` with those of the encoder's outputs."""
    yield from both("time_embed.0", 1280, 320)
    yield from both("time_embed.2", 1280, 1280)
    yield from both("input_blocks.0.0", 320, in_channels, 3, 3)
    widths.append(320)
    for level, width in enumerate((320, 640, 1280, 1280)):
        for _ in range(2):
            i = len(widths)
            yield from residual(f"input_blocks.{i}.0", widths[-1], width)
            if level < 3:
                yield from transformer(f"input_blocks.{i}.1", width, version)
            widths.append(width)
        if level < 3:
            yield from both(f"input_blocks.{len(widths)}.0.op", width, width, 3, 3)
            widths.append(width)
    yield from residual("middle_block.0", 1280, 1280)
    yield from transformer("middle_block.1", 1280, version)
    yield from residual("middle_block.2", 1280, 1280)


def unet(version: int) -> Named:
    widths: list[int] = []
    yield from unet_encoder(version, 4, widths)
    before, i = 1280, 0
    for level, width in ((3, 1280), (2, 1280), (1, 640), (0, 320)):
        for layer in range(3):
            yield from residual(f"output_blocks.{i}.0", before + widths.pop(), width)
            if level < 3:
                yield from transformer(f"output_blocks.{i}.1", width, version)
            if level > 0 and layer == 2:
                yield from both(f"output_blocks.{i}.{2 if level < 3 else 1}.conv", width, width, 3, 3)
            before, i = width, i + 1
    yield from both("out.0", 320)
    yield from both("out.2", 4, 320, 3, 3)


def control() -> Named:
    widths: list[int] = []
    yield from unet_encoder(2, 8, widths)
    for i, width in enumerate(widths):
        yield from both(f"zero_convs.{i}.0", width, width, 1, 1)
    yield from both("middle_block_out.0", 1280, 1280, 1, 1)


def vae_residual(name: str, inputs: int, outputs: int) -> Named:
    yield from both(f"{name}.norm1", inputs)
    yield from both(f"{name}.conv1", outputs, inputs, 3, 3)
    yield from both(f"{name}.norm2", outputs)
    yield from both(f"{name}.conv2", outputs, outputs, 3, 3)
    if inputs != outputs:
        yield from both(f"{name}.nin_shortcut", outputs, inputs, 1, 1)


def vae_middle(name: str) -> Named:
    yield from vae_residual(f"{name}.block_1", 512, 512)
    yield from both(f"{name}.attn_1.norm", 512)
    for projection in ("q", "k", "v", "proj_out"):
        yield from both(f"{name}.attn_1.{projection}", 512, 512, 1, 1)
    yield from vae_residual(f"{name}.block_2", 512, 512)


def vae() -> Named:
    yield from both("encoder.conv_in", 128, 3, 3, 3)
    before = 128
    for level, width in enumerate((128, 256, 512, 512)):
        for layer in range(2):
            yield from vae_residual(f"encoder.down.{level}.block.{layer}", before, width)
            before = width
        if level < 3:
            yield from both(f"encoder.down.{level}.downsample.conv", width, width, 3, 3)
    yield from vae_middle("encoder.mid")
    yield from both("encoder.norm_out", 512)
    yield from both("encoder.conv_out", 8, 512, 3, 3)
    yield from both("quant_conv", 8, 8, 1, 1)
    yield from both("post_quant_conv", 4, 4, 1, 1)
    yield from both("decoder.conv_in", 512, 4, 3, 3)
    yield from vae_middle("decoder.mid")
    for level, width in ((3, 512), (2, 512), (1, 256), (0, 128)):
        for layer in range(3):
            yield from vae_residual(f"decoder.up.{level}.block.{layer}", before, width)
            before = width
        if level > 0:
            yield from both(f"decoder.up.{level}.upsample.conv", width, width, 3, 3)
    yield from both("decoder.norm_out", 128)
    yield from both("decoder.conv_out", 3, 128, 3, 3)


def told_apart(layout: Named) -> dict[str, Tensor]:
    """Return tensors of these shapes, each full of a number of its own, which take no memory."""
    return {name: torch.tensor(float(i)).expand(shape) for i, (name, shape) in enumerate(layout)}


def first(value: Tensor) -> float:
    return float(value[(0,) * value.dim()])


@pytest.fixture(scope="module")
def diffusers() -> Any:
    """Return diffusers, loaded as the package loads it."""
    from headroom.nn.latent import diffusers_models  # noqa: F401 - what makes the next line work

    return pytest.importorskip("diffusers")


def unet_of(diffusers: Any, version: int) -> Any:
    of_version = {1: {}, 2: {"attention_head_dim": (5, 10, 20, 20), "use_linear_projection": True}}[version]
    with torch.device("meta"):
        return diffusers.UNet2DConditionModel(cross_attention_dim=CONTEXT[version], **of_version)


def vae_of(diffusers: Any) -> Any:
    with torch.device("meta"):
        return diffusers.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )


def check_fits(table: Table, released: dict[str, Tensor], network: Any) -> dict[str, Tensor]:
    """Check that every released tensor becomes one of the network's, and all of these, with the right shape."""
    assert sorted(piece.source for piece in table.values()) == sorted(released)
    renamed = rename(table, released)
    assert {name: value.shape for name, value in renamed.items()} == {
        name: value.shape for name, value in network.state_dict().items()
    }
    assert all(table[name].shape(released[table[name].source].shape) == value.shape for name, value in renamed.items())
    return renamed


@pytest.mark.parametrize(("version", "numbers"), [(1, 859_520_964), (2, 865_910_724)])
def test_the_unet_is_that_of_diffusers(diffusers: Any, version: int, numbers: int) -> None:
    released, network = told_apart(unet(version)), unet_of(diffusers, version)
    renamed = check_fits(unet_table(), released, network)
    assert (len(renamed), sum(value.numel() for value in renamed.values())) == (686, numbers)
    convert = diffusers.loaders.single_file_utils.convert_ldm_unet_checkpoint
    theirs = convert({f"model.diffusion_model.{name}": value for name, value in released.items()}, network.config)
    assert {name: first(value) for name, value in theirs.items()} == {n: first(value) for n, value in renamed.items()}


def test_the_autoencoder_is_that_of_diffusers(diffusers: Any) -> None:
    released, network = told_apart(vae()), vae_of(diffusers)
    renamed = check_fits(vae_table(), released, network)
    assert (len(renamed), sum(value.numel() for value in renamed.values())) == (248, 83_653_863)
    convert = diffusers.loaders.single_file_utils.convert_ldm_vae_checkpoint
    theirs = convert({f"first_stage_model.{name}": value for name, value in released.items()}, network.config)
    assert {name: first(value) for name, value in theirs.items()} == {n: first(value) for n, value in renamed.items()}
    assert {name: value.shape for name, value in theirs.items()} == {n: value.shape for n, value in renamed.items()}


def test_the_control_branch_is_that_of_diffusers_but_for_its_hint(diffusers: Any) -> None:
    with torch.device("meta"):
        network = diffusers.ControlNetModel(
            in_channels=8, cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
        )
    del network.controlnet_cond_embedding  # Here the hint is in latents already.
    renamed = check_fits(control_table(), told_apart(control()), network)
    assert (len(renamed), sum(value.numel() for value in renamed.values())) == (324, 363_153_280)


def test_the_condition_encoder_is_the_autoencoder_s_first_half() -> None:
    released = dict(vae())
    found = [released[piece.source] for piece in condition_encoder_table().values()]
    assert sum(map(math.prod, found)) == 34_163_592 + 72  # methods.md counts the encoder; 8 x 8 + 8 of quant_conv


def test_older_files_of_diffusers_name_the_attention_otherwise() -> None:
    older = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    table = older_vae_table()
    for coder in ("encoder", "decoder"):
        for old, new in older.items():
            piece = table[f"{coder}.mid_block.attentions.0.{new}.weight"]
            assert piece.source == f"{coder}.mid_block.attentions.0.{old}.weight"
            assert piece.shape((512, 512)) == piece.shape((512, 512, 1, 1)) == (512, 512)
    assert table.keys() == vae_table().keys()
    assert sum(name != piece.source for name, piece in table.items()) == 16


def clip_text_model(layers: int, width: int) -> Named:
    """Yield the tensors of transformers' `CLIPTextModel`, as its documentation lays them out."""
    yield "text_model.embeddings.token_embedding.weight", (49408, width)
    yield "text_model.embeddings.position_embedding.weight", (77, width)
    for i in range(layers):
        layer = f"text_model.encoder.layers.{i}"
        for x in ("q", "k", "v", "out"):
            yield from both(f"{layer}.self_attn.{x}_proj", width, width)
        yield from both(f"{layer}.layer_norm1", width)
        yield from both(f"{layer}.layer_norm2", width)
        yield from both(f"{layer}.mlp.fc1", 4 * width, width)
        yield from both(f"{layer}.mlp.fc2", width, 4 * width)
    yield from both("text_model.final_layer_norm", width)


def open_clip(layers: int, width: int) -> Named:
    yield "token_embedding.weight", (49408, width)
    yield "positional_embedding", (77, width)
    for i in range(layers):
        block = f"transformer.resblocks.{i}"
        yield f"{block}.attn.in_proj_weight", (3 * width, width)
        yield f"{block}.attn.in_proj_bias", (3 * width,)
        yield from both(f"{block}.attn.out_proj", width, width)
        yield from both(f"{block}.ln_1", width)
        yield from both(f"{block}.ln_2", width)
        yield from both(f"{block}.mlp.c_fc", 4 * width, width)
        yield from both(f"{block}.mlp.c_proj", width, 4 * width)
    yield from both("ln_final", width)


def test_open_clip_becomes_transformers_encoder() -> None:
    released, expected = told_apart(open_clip(24, 1024)), dict(clip_text_model(23, 1024))
    renamed = rename(open_clip_table(), released)
    assert {name: tuple(value.shape) for name, value in renamed.items()} == expected
    assert sum(map(math.prod, expected.values())) == 340_387_840
    unread = released.keys() - {piece.source for piece in open_clip_table().values()}
    assert all(name.startswith("transformer.resblocks.23.") for name in unread)
    assert len(unread) == 12


def test_queries_keys_and_values_are_unstacked_in_order() -> None:
    state = {name: torch.zeros(()) for name, _ in open_clip(23, 2)}
    layer = "transformer.resblocks.7.attn.in_proj"
    state |= {f"{layer}_weight": torch.arange(12.0).view(6, 2), f"{layer}_bias": torch.arange(6.0)}
    others = {name: torch.zeros(3) for name in state if "in_proj" in name and not name.startswith(layer)}
    renamed = rename(open_clip_table(), state | others)
    for i, x in enumerate("qkv"):
        projection = f"text_model.encoder.layers.7.self_attn.{x}_proj"
        assert renamed[f"{projection}.weight"].tolist() == [[4 * i, 4 * i + 1], [4 * i + 2, 4 * i + 3]]
        assert renamed[f"{projection}.bias"].tolist() == [2 * i, 2 * i + 1]


def test_clip_keeps_its_names() -> None:
    for layers in (CLIP_LAYERS, OPEN_CLIP_LAYERS):
        names = [name for name, _ in clip_text_model(layers, 768)]
        assert {name: piece.source for name, piece in clip_table(layers).items()} == dict(
            zip(names, names, strict=True)
        )
