"""What a picture shows, in words, by an image-to-text model of a local folder."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from headroom.errors import WeightsError
from headroom.image import Photo
from headroom.nn.transformers_quietly import FAILURES, first_line, import_transformers, read_model
from headroom.restore.srgb_like import between_primaries, srgb_like_rows

_MOST_TOKENS = 60
"""A prompt of Stable Diffusion has room for 75."""
_SEEN_SIDE_PX = 1024
"""Captioners reduce pictures to fewer pixels than this."""

_ADVICE = "Give the folder of a captioner as transformers saves it, such as BLIP, GIT or ViT with GPT-2."


@dataclass(frozen=True, slots=True)
class Captioner:
    """An image-to-text model that describes a picture by itself, ready to be run.

    Attributes:
        folder: Where it was read, for messages.
        image_processor: Turns a picture into what the model sees.
        tokenizer: Turns what the model says into words.
        model: In evaluation mode.
    """

    folder: Path
    image_processor: Any
    tokenizer: Any
    model: Any

    @torch.inference_mode()
    def describe(self, photo: Photo) -> str:
        """Say in one line what a photo of 8 or 16 bits shows; the same words for the same photo.

        Raises:
            WeightsError: The model says nothing, or needs more than a picture.
        """
        try:
            seen = self.image_processor(images=_seen(photo), return_tensors="pt")["pixel_values"]
            tokens = self.model.generate(pixel_values=seen, max_new_tokens=_MOST_TOKENS, do_sample=False)
            words = self.tokenizer.decode(tokens[0], skip_special_tokens=True).split()
        except FAILURES as error:
            problem = f"does not describe a picture by itself ({first_line(error)})"
            raise WeightsError(f"{self.folder}: {problem}. {_ADVICE}") from error
        if not words:
            raise WeightsError(f"{self.folder}: says nothing about a picture. {_ADVICE}")
        return " ".join(words)


@functools.lru_cache(maxsize=1)
def read_captioner(folder: Path) -> Captioner:
    """Read an image-to-text model. Nothing is downloaded, no pickle is opened and no code of the folder is run.

    Raises:
        MissingDependency: transformers is not installed.
        WeightsError: There is no such folder, or it holds something else or damaged files.
    """
    if not (folder / "config.json").is_file():
        raise WeightsError(f"{folder / 'config.json'}: is not there. {_ADVICE}")
    transformers = import_transformers("Describing a picture")
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = read_model(transformers.AutoModelForImageTextToText, folder)
        # By Pillow, so that torchvision is not needed.
        image_processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil", **local)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    except FAILURES as error:
        raise WeightsError(f"{folder}: is no image-to-text model ({first_line(error)}). {_ADVICE}") from error
    return Captioner(folder, image_processor, tokenizer, model)


def _seen(photo: Photo) -> Image.Image:
    """Give a photo in sRGB of 8 bits, reduced to what captioners can use."""
    scale = min(1.0, _SEEN_SIDE_PX / max(photo.height, photo.width))
    size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
    reduced = replace(photo, codes=cv2.resize(photo.codes, size, interpolation=cv2.INTER_AREA))
    values = between_primaries(srgb_like_rows(reduced, slice(None)), photo.encoding.primaries, "bt709")
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))
