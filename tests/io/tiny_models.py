"""Folders of models in miniature, laid out as those that people download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from latent_tiny import TINY
from torch import nn

from headroom.methods.sagiri.refiner import Refiner, RefinerSettings, build_refiner
from headroom.methods.sagiri.refiner_folder import CONTROL_FILE
from headroom.training.checkpoint import save_tensors

CONTEXT: int = TINY.denoiser["cross_attention_dim"]
"""Numbers per word that the tiny denoiser attends to."""

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[DEC]", "[ENC]"]
NOUNS = ["a", "dark", "bright", "red", "blue", "lamp", "sky", "sea", "house", "tree", "road", "night"]


def write_text_encoder(folder: Path) -> Any:
    """Write `tokenizer/` and `text_encoder/` whose words are spelled, letter by letter; return the encoder."""
    from transformers import CLIPTextConfig, CLIPTextModel

    letters = [*"abcdefghijklmnopqrstuvwxyz,"]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir(parents=True)
    (tokenizer / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocabulary)}))
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(settings))
    torch.manual_seed(0)
    configuration = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=CONTEXT,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=len(vocabulary) - 2,
        eos_token_id=len(vocabulary) - 1,
    )
    encoder = CLIPTextModel(configuration).eval()
    nn.init.constant_(dict(encoder.named_modules())["final_layer_norm"].weight, 20.0)  # so that words weigh
    encoder.save_pretrained(folder / "text_encoder")
    return encoder


def write_captioner(folder: Path) -> Any:
    """Write a BLIP with random weights that knows `NOUNS` and sees 32 x 32 pixels; return it."""
    from transformers import BlipConfig, BlipForConditionalGeneration

    vocabulary = [*SPECIAL, *NOUNS]
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ids = {"bos_token_id": 4, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    text = {**small, **ids, "vocab_size": len(vocabulary), "encoder_hidden_size": 16, "projection_dim": 16}
    torch.manual_seed(0)
    model = BlipForConditionalGeneration(
        BlipConfig(
            text_config=text, vision_config={**small, "image_size": 32, "patch_size": 8, "projection_dim": 16},
            projection_dim=16,
        )
    ).eval()  # fmt: skip
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.5)
        if name.endswith("predictions.bias"):
            nn.init.constant_(parameter[: len(SPECIAL)], -1e4)  # so that it never stops, and says no more than words
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    settings = {"tokenizer_class": "BertTokenizer", "additional_special_tokens": ["[DEC]", "[ENC]"]}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    processor = {"image_processor_type": "BlipImageProcessor", "size": {"height": 32, "width": 32}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return model


def write_stable_diffusion(folder: Path) -> None:
    """Write a Stable Diffusion with words and Sagiri's control, all of random weights."""
    write_refiner(folder)
    write_text_encoder(folder)


def write_refiner(folder: Path) -> Refiner:
    """Write a Stable Diffusion without words, and Sagiri's control; return both as one network."""
    from headroom.nn.latent.diffusers_models import DDPMScheduler

    torch.manual_seed(0)
    refiner = build_refiner(RefinerSettings(prior=TINY, sees_mask=False)).eval()
    for parameter in refiner.control.parameters():
        nn.init.normal_(parameter, std=0.1)
    refiner.autoencoder.save_pretrained(folder / "vae")
    refiner.denoiser.save_pretrained(folder / "unet")
    DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").save_pretrained(
        folder / "scheduler"
    )
    save_tensors(folder / CONTROL_FILE, refiner.state_dict())
    return refiner
