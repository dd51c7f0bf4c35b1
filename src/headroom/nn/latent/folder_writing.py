"""A Stable Diffusion folder, in the layout that `folder` and diffusers read, from what was imported."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headroom.errors import OutputError, UsageError, WeightsError
from headroom.files import make_folder, write_atomically
from headroom.nn.latent.folder_configuration import (
    Shapes,
    autoencoder_configuration,
    denoiser_configuration,
    is_second_version,
    scheduler_configuration,
    text_configuration,
)
from headroom.nn.latent.released import AUTOENCODER, DENOISER, TEXT_ENCODER
from headroom.nn.latent.settings import Prediction
from headroom.nn.latent.vocabulary import Vocabulary, write_tokenizer
from headroom.weights.writer import PlannedTensor, write_one_by_one

Tensors = Mapping[str, PlannedTensor]

CONTROL_FILE = "control.safetensors"
"""Holds what an import found beside the networks of Stable Diffusion, by its own names: Sagiri's control branch."""

_FILES = {
    DENOISER: "unet/diffusion_pytorch_model.safetensors",
    AUTOENCODER: "vae/diffusion_pytorch_model.safetensors",
    TEXT_ENCODER: "text_encoder/model.safetensors",
    "": CONTROL_FILE,
}


def write_folder(
    tensors: Tensors,
    target: Path,
    metadata: Mapping[str, str],
    *,
    vocabulary: Vocabulary | None,
    prediction: Prediction = "epsilon",
) -> None:
    """Write an imported Stable Diffusion, with all that was found beside it; the folder is there whole or not at all.

    Args:
        tensors: By our names; see `headroom.nn.latent.released`.
        target: Is made; may be there when it is empty.
        metadata: What each file says of itself.
        vocabulary: Of the text encoder; without one, no tokenizer is written.
        prediction: What the denoiser estimates, which its weights do not tell.

    Raises:
        UsageError: There is no denoiser or autoencoder, or the folder holds something.
        WeightsError: A number is not finite, or the vocabulary is not the text encoder's.
        OutputError: The folder cannot be written.
    """
    parts = _parts(tensors)
    for prefix, network in ((DENOISER, "U-Net"), (AUTOENCODER, "autoencoder")):
        if not parts[prefix]:
            raise UsageError(
                f"{target}: a Stable Diffusion folder needs a {network}, which no file holds. Add its file."
            )
    make_folder(target.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent))
        try:
            temporary.chmod(0o755)
            _fill(temporary, parts, metadata, vocabulary, prediction)
            temporary.replace(target)  # onto an empty folder at most
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{target}: cannot be written ({reason}). Give a folder that is not there yet.") from error


def _parts(tensors: Tensors) -> dict[str, Tensors]:
    """Sort tensors by the networks of Stable Diffusion, without the prefixes of these."""
    parts: dict[str, dict[str, PlannedTensor]] = {prefix: {} for prefix in _FILES}
    for name, tensor in tensors.items():
        prefix = next(each for each in _FILES if name.startswith(each))
        parts[prefix][name.removeprefix(prefix)] = tensor
    return dict(parts)


def _fill(
    folder: Path,
    parts: Mapping[str, Tensors],
    metadata: Mapping[str, str],
    vocabulary: Vocabulary | None,
    prediction: Prediction,
) -> None:
    for file, configuration in _configurations(parts, prediction).items():
        make_folder((folder / file).parent)
        write_atomically(folder / file, json.dumps(configuration, indent=2).encode())
    for prefix, file in _FILES.items():
        if parts[prefix]:
            write_one_by_one(parts[prefix], folder / file, {**metadata, "format": "pt"})
    if vocabulary and parts[TEXT_ENCODER]:
        tokens = vocabulary.tokens
        words, _ = parts[TEXT_ENCODER]["text_model.embeddings.token_embedding.weight"].shape
        if len(tokens) != words:
            raise WeightsError(
                f"the vocabulary has {len(tokens)} words, and the text encoder {words}. Give CLIP's own."
            )
        filler = tokens[0] if is_second_version(_shapes(parts[DENOISER])) else tokens[-1]
        write_tokenizer(folder / "tokenizer", vocabulary, filler=filler)


def _configurations(parts: Mapping[str, Tensors], prediction: Prediction) -> dict[str, dict[str, Any]]:
    """Describe each network, by the file that says so."""
    denoiser, autoencoder, words = (_shapes(parts[prefix]) for prefix in (DENOISER, AUTOENCODER, TEXT_ENCODER))
    try:
        found = {
            "unet/config.json": denoiser_configuration(denoiser),
            "vae/config.json": autoencoder_configuration(autoencoder),
            "scheduler/scheduler_config.json": scheduler_configuration(prediction),
        }
        if words:
            second = is_second_version(denoiser)
            found["text_encoder/config.json"] = text_configuration(words, second_version=second)
    except (LookupError, ValueError) as error:
        raise WeightsError("its tensors have not the shapes of Stable Diffusion. Give another checkpoint.") from error
    return found


def _shapes(part: Tensors) -> Shapes:
    return {name: tensor.shape for name, tensor in part.items()}
