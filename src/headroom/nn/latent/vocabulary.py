"""CLIP's vocabulary, which no checkpoint holds: read where it is given, or found where other programs keep it.

Stable Diffusion 1.x and 2.x have the same. It comes as `vocab.json` with `merges.txt`, as `tokenizer.json`, or as the
list of merges that OpenAI released, which the packages `open_clip_torch` and `clip` bring along.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headroom.errors import WeightsError
from headroom.files import make_folder, write_atomically

RELEASED_FILE = "bpe_simple_vocab_16e6.txt.gz"
HOW_TO_GET = (
    "CLIP's vocabulary is found by itself after: pip install --no-deps open_clip_torch; or name, by --tokenizer, a "
    "folder with vocab.json and merges.txt"
)

_START, _END = "<|startoftext|>", "<|endoftext|>"
_END_OF_WORD = "</w>"
_BYTES = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 324))]
"""Letters that stand for the 256 bytes in byte-pair encoding (Radford et al. 2019), in the order of the vocabulary."""
_MERGES = 49408 - 2 * len(_BYTES) - 2  # The released list goes on; CLIP has 49,408 tokens.
_MOST_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Byte-pair encoding of words.

    Attributes:
        tokens: Pieces of words, numbered by their place.
        merges: Pairs of pieces that become one, most frequent first, each with a space between.
    """

    tokens: Sequence[str]
    merges: Sequence[str]


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary from a folder, or from the released list of merges.

    Raises:
        WeightsError: There is none, or it is damaged.
    """
    try:
        found = _read(path)
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        files = f"vocab.json and merges.txt, a tokenizer.json, or {RELEASED_FILE}"
        raise WeightsError(f"{path}: holds no vocabulary of CLIP ({error}). Give {files}.") from error
    if found.tokens[-2:] != [_START, _END]:
        raise WeightsError(f"{path}: is no vocabulary of CLIP, whose last words are {_START} and {_END}. Give CLIP's.")
    return found


def find_vocabulary() -> Vocabulary | None:
    """Look for a vocabulary in installed packages and in the local cache of the Hugging Face hub."""
    for path in _places():
        try:
            return read_vocabulary(path)
        except WeightsError:
            continue  # a cache may hold half of a download
    return None


def write_tokenizer(folder: Path, vocabulary: Vocabulary, *, filler: str = _END) -> None:
    """Write what transformers' `CLIPTokenizer` reads.

    Args:
        folder: Is made.
        vocabulary: What is written.
        filler: Token that fills a prompt up; 2.x has the first one of the vocabulary.

    Raises:
        OutputError: It cannot be written.
    """
    make_folder(folder)
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": filler}
    numbered = {token: number for number, token in enumerate(vocabulary.tokens)}
    for name, content in (
        ("vocab.json", json.dumps(numbered, ensure_ascii=False)),
        ("merges.txt", "\n".join(("#version: 0.2", *vocabulary.merges, ""))),
        ("tokenizer_config.json", json.dumps(settings)),
    ):
        write_atomically(folder / name, content.encode())


def _read(path: Path) -> Vocabulary:
    if path.is_file():
        merges = _text(path).splitlines()[1 : 1 + _MERGES]
        return Vocabulary([*_letters(), *(merge.replace(" ", "") for merge in merges), _START, _END], merges)
    whole = path / "tokenizer.json"
    if whole.is_file():
        model = json.loads(_text(whole))["model"]
        merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
        return Vocabulary(_ordered(model["vocab"]), merges)
    merges = [line for line in _text(path / "merges.txt").splitlines() if line and not line.startswith("#version")]
    return Vocabulary(_ordered(json.loads(_text(path / "vocab.json"))), merges)


def _letters() -> Iterator[str]:
    yield from _BYTES
    yield from (letter + _END_OF_WORD for letter in _BYTES)


def _ordered(numbered: dict[str, Any]) -> list[str]:
    """Put tokens at the places that their numbers give them."""
    tokens = sorted(numbered, key=numbered.__getitem__)
    if [numbered[token] for token in tokens] != list(range(len(tokens))):
        raise ValueError("its tokens are not numbered from 0 on")
    return tokens


def _text(path: Path) -> str:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"{path.name} is larger than {_MOST_BYTES} bytes")
    return content.decode()


def _places() -> Iterator[Path]:
    for package in ("open_clip", "clip"):
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            if (path := Path(folder) / RELEASED_FILE).is_file():
                yield path
    from huggingface_hub.constants import HF_HUB_CACHE

    for pattern in ("models--*clip*/snapshots/*/vocab.json", "models--*/snapshots/*/tokenizer/vocab.json"):
        yield from (path.parent for path in sorted(Path(HF_HUB_CACHE).glob(pattern)))
