"""Words for a denoiser to attend to: CLIP's text encoder from a Stable Diffusion folder, read by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headroom.errors import WeightsError
from headroom.nn.latent.vocabulary import HOW_TO_GET
from headroom.nn.transformers_quietly import FAILURES, first_line, import_transformers, read_model

_ADVICE = {
    "tokenizer": "Put CLIP's vocab.json and merges.txt into that folder, or import the checkpoint again: " + HOW_TO_GET,
    "text_encoder": "Give a whole Stable Diffusion folder",
}


class Words:
    """Turns prompts into what a denoiser attends to.

    Args:
        tokenizer: transformers' `CLIPTokenizer`.
        encoder: transformers' `CLIPTextModel`; Stable Diffusion 2.x leaves out its last layer.
    """

    def __init__(self, tokenizer: Any, encoder: Any) -> None:  # noqa: ANN401 - transformers has no types here
        self.tokenizer, self.encoder = tokenizer, encoder

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[str]) -> Tensor:
        """Encode N prompts, each cut or filled up to 77 tokens: N x 77 x D."""
        tokens = self.tokenizer(
            list(prompts),
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        encoded: Tensor = self.encoder(tokens.input_ids.to(self.encoder.device)).last_hidden_state
        return encoded


def read_words(folder: Path) -> Words:
    """Read `tokenizer/` and `text_encoder/` of a folder in the layout of diffusers.

    Raises:
        MissingDependency: transformers is not installed.
        WeightsError: A file is missing or damaged.
    """
    transformers = import_transformers("Reading a prompt")
    for part, file in (("tokenizer", "vocab.json"), ("text_encoder", "config.json")):
        if not (folder / part / file).is_file():
            raise WeightsError(f"{folder / part / file}: is not there. {_ADVICE[part]}.")
    try:
        tokenizer = transformers.CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        encoder = read_model(transformers.CLIPTextModel, folder / "text_encoder")
    except FAILURES as error:
        problem = f"its words cannot be read ({first_line(error)})"
        raise WeightsError(f"{folder}: {problem}. Get the folder again.") from error
    return Words(tokenizer, encoder)
