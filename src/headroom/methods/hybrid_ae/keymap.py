"""The released checkpoints of the hybrid autoencoder, by their keys.

The names here are those of the released `model_b` and of the released U-Net, so only `model_a` needs a table.
"""

from __future__ import annotations

import functools

import torch

from headroom.methods.hybrid_ae.paper import MODEL_A, MODEL_B, PAPER, build_paper
from headroom.methods.hybrid_ae.unet import UNetSettings, build_unet
from headroom.weights.layout import Layout, Part, Piece, Table, unchanged

MODEL_A_PREFIXES = {
    "encoder.features.": "encoder.",
    "decoder.bottleneck.": "bottleneck.",
    "decoder.up1.upsample.": "up0.up.",
    "decoder.up1.conv_block.0.": "up0.conv1.conv.",
    "decoder.up1.conv_block.2.": "up0.conv2.conv.",
    "decoder.up2.upsample.": "up1.up.",
    "decoder.up2.conv_block.0.": "up1.conv1.conv.",
    "decoder.up2.conv_block.2.": "up1.conv2.conv.",
    "decoder.up3.upsample.": "up2.up.",
    "decoder.up3.conv_block.0.": "up2.conv1.conv.",
    "decoder.up3.conv_block.2.": "up2.conv2.conv.",
    "decoder.up4.upsample.": "up3.up.",
    "decoder.up4.conv_block.0.": "up3.conv1.conv.",
    "decoder.up4.conv_block.2.": "up3.conv2.conv.",
    "decoder.final.1.": "up4.conv1.conv.",
    "decoder.final.3.": "final_conv.",
}
"""Released prefix to ours."""


@functools.cache
def layouts() -> tuple[Layout, ...]:
    """Return those of the released networks, and of the slides' (`paper`), which was never released."""
    with torch.device("meta"):
        model_a, model_b, paper = (build_paper(settings).state_dict() for settings in (MODEL_A, MODEL_B, PAPER))
        unets = (
            unchanged(build_unet(UNetSettings(upsample=upsample)).state_dict())
            for upsample in ("pixelshuffle", "nearest")
        )
        return (
            _layout("model_a", {name: Piece(_released_name(name)) for name in model_a}),
            _layout("model_b", unchanged(model_b)),
            _layout("unet", *unets),
            _layout("paper", unchanged(paper)),
        )


def _layout(preset: str, *tables: Table) -> Layout:
    return Layout(f"hybrid_ae_{preset}", f"hybrid autoencoder, {preset}", "MIT", (Part("network", tables),))


def _released_name(name: str) -> str:
    return next(
        released + name.removeprefix(ours) for released, ours in MODEL_A_PREFIXES.items() if name.startswith(ours)
    )
