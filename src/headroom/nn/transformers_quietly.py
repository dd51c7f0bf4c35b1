"""transformers, imported in one place: it takes seconds, talks on stderr and fails beside a torchvision for CUDA."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from headroom.errors import MissingDependency
from headroom.nn.torchvision_beside_cpu import import_torchvision
from headroom.weights.reader import name_some

FAILURES = Exception
"""What transformers raises for files that are missing, damaged or of another model: tokenizers has nothing narrower."""


def import_transformers(purpose: str) -> Any:  # noqa: ANN401 - transformers has no types here
    """Import transformers without its bars and advice.

    Args:
        purpose: What needs it, the first words of the message.

    Raises:
        MissingDependency: It is not installed.
    """
    if find_spec("torchvision"):
        import_torchvision()
    try:
        transformers = import_module("transformers")
    except ImportError as error:
        raise MissingDependency(f"{purpose} needs transformers: pip install 'headroom-hdr[words]'.") from error
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    return transformers


def read_model(architecture: Any, folder: Path) -> Any:  # noqa: ANN401
    """Read a model in float32. Nothing is downloaded, no pickle is opened, no code of the folder is run.

    Args:
        architecture: A model class of transformers.
        folder: Holds `config.json` and `model.safetensors`.

    Raises:
        Exception: See `FAILURES`; also where values are missing, which transformers would draw at random.
    """
    model, told = architecture.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    if told["missing_keys"]:
        raise ValueError(f"{name_some(sorted(told['missing_keys']))} missing in its weights")
    return model.eval()


def first_line(error: Exception) -> str:
    """Give what an error of transformers says, without the pages that may follow."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
