"""How good a picture looks to networks that learned it from people's votes: MUSIQ, MANIQA and CLIP-IQA.

The networks are those of pyiqa, whose licence allows no commercial use, and of transformers, where the user has
installed them; weights are the user's own files, and nothing is downloaded. MANIQA looks at random crops, drawn here
from the seed of GMODiff's tables. CLIP-IQA is the plain pair of prompts on the CLIP that the user brings: tables made
with pyiqa, which asks three pairs of a ResNet, hold other numbers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headroom.metrics.contract import Measure, Metric, Pair

if TYPE_CHECKING:
    from torch import Tensor, nn

MUSIQ_WEIGHTS, MANIQA_WEIGHTS, CLIP_FOLDER = "musiq_koniq.safetensors", "maniqa.safetensors", "clip"
"""pyiqa's `musiq_koniq` and one of its `maniqa` files as safetensors; a folder of transformers' `CLIPModel`."""

_SEED = 123  # GMODiff's evaluation
_MOST_VOTES = 100.0
_PROMPTS = ["Good photo.", "Bad photo."]  # Wang et al. 2023, table 1
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def _open_musiq(models: Path) -> Measure:
    from headroom.nn.torchvision_beside_cpu import import_torchvision

    import_torchvision()
    from pyiqa.archs.musiq_arch import MUSIQ

    return _asking(MUSIQ(pretrained=False), models / MUSIQ_WEIGHTS)


def _open_maniqa(models: Path) -> Measure:
    from headroom.nn.torchvision_beside_cpu import import_torchvision

    import_torchvision()
    import timm
    from pyiqa.archs import maniqa_arch

    # It would download a backbone, whose values its own weights replace.
    create = timm.create_model
    maniqa_arch.timm.create_model = lambda name, **_options: create(name, pretrained=False)
    try:
        network = maniqa_arch.MANIQA(pretrained=False)
    finally:
        maniqa_arch.timm.create_model = create
    return _asking(network, models / MANIQA_WEIGHTS)


def _asking(network: nn.Module, weights: Path) -> Measure:
    """Give a network its weights, and ask it about pictures in [0, 1]."""
    import torch

    from headroom.metrics.networks.batch import as_batch
    from headroom.weights.reader import load_into, read_state_dict

    load_into(network, read_state_dict(weights), str(weights))
    network.eval()

    def measure(pair: Pair) -> float:
        with torch.random.fork_rng(devices=[]), torch.inference_mode():
            torch.manual_seed(_SEED)
            return float(network(as_batch(pair.prediction)))

    return measure


def _open_clip_iqa(models: Path) -> Measure:
    import torch
    from transformers import CLIPModel, CLIPTokenizerFast

    from headroom.metrics.networks.batch import as_batch

    network: Any = CLIPModel.from_pretrained(models / CLIP_FOLDER, local_files_only=True, use_safetensors=True).eval()
    words = CLIPTokenizerFast.from_pretrained(models / CLIP_FOLDER, local_files_only=True)
    prompts = words(_PROMPTS, return_tensors="pt", padding=True)
    side_px = network.config.vision_config.image_size

    def measure(pair: Pair) -> float:
        with torch.inference_mode():
            logits = network(pixel_values=_clip_view(as_batch(pair.prediction), side_px), **prompts).logits_per_image
        return float(logits.softmax(dim=1)[0, 0])

    return measure


def _clip_view(picture: Tensor, side_px: int) -> Tensor:
    """Bring the shorter side of a picture to CLIP's and take the middle."""
    import torch.nn.functional as F

    height, width = picture.shape[2:]
    scale = side_px / min(height, width)
    size = (max(side_px, round(height * scale)), max(side_px, round(width * scale)))
    x = F.interpolate(picture, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    top, left = (size[0] - side_px) // 2, (size[1] - side_px) // 2
    x = x[:, :, top : top + side_px, left : left + side_px]
    return (x - x.new_tensor(_CLIP_MEAN).view(3, 1, 1)) / x.new_tensor(_CLIP_DEVIATION).view(3, 1, 1)


_MUSIQ = Metric(
    id="musiq",
    name="MUSIQ (KonIQ)",
    direction="higher",
    domain="codes",
    unit="",
    limits=(0, _MOST_VOTES),
    source="Ke et al. 2021, through pyiqa",
    open=_open_musiq,
    compares=False,
    packages=("pyiqa", "torchvision"),
    models=(MUSIQ_WEIGHTS,),
)
METRICS = (
    _MUSIQ,
    replace(
        _MUSIQ,
        id="maniqa",
        name="MANIQA",
        limits=(0, 1),
        source="Yang et al. 2022, through pyiqa, seed 123",
        open=_open_maniqa,
        models=(MANIQA_WEIGHTS,),
    ),
    replace(
        _MUSIQ,
        id="clip_iqa",
        name="CLIP-IQA (good or bad photo)",
        limits=(0, 1),
        source="Wang et al. 2023, through transformers",
        open=_open_clip_iqa,
        packages=("transformers",),
        models=(CLIP_FOLDER,),
    ),
)
