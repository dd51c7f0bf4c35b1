"""Turn checkpoints of others into tensors with our names, for one safetensors file or a folder of several."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from headroom.errors import UsageError, WeightsError
from headroom.weights.adapter_names import plain_name
from headroom.weights.foreign import Checkpoint, StoredTensor, open_checkpoint
from headroom.weights.layout import Layout, Piece, find_layout, recognise
from headroom.weights.writer import PlannedTensor, write_one_by_one

_WRAPPER = "module."  # what torch's parallel training puts before every name


@dataclass(frozen=True, slots=True)
class Imported:
    """What was found in one file.

    Attributes:
        source: The file.
        layout: Name of its layout.
        summary: What that is.
        licence: What is known of its weights' licence; the file itself may say otherwise.
        parts: Tensors and numbers of each network.
        ignored: How many tensors were left out knowingly, by what their names start with.
        unknown: Names of tensors that were left out because the layout has none like them.
        passed_over: Names of what the file holds beside tensors.
    """

    source: Path
    layout: str
    summary: str
    licence: str
    parts: Mapping[str, tuple[int, int]]
    ignored: Mapping[str, int]
    unknown: tuple[str, ...]
    passed_over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """What checkpoints become; nothing of it is read before it is written.

    Attributes:
        tensors: Those to write, by our names.
        metadata: What a written file says of itself.
        found: What was found in each checkpoint.
    """

    tensors: Mapping[str, PlannedTensor]
    metadata: Mapping[str, str]
    found: Sequence[Imported]


def import_checkpoints(
    sources: Sequence[Path],
    target: Path,
    layouts: Sequence[Layout],
    *,
    layout: str | None = None,
    dtype: torch.dtype | None = None,
) -> Sequence[Imported]:
    """Write the tensors of checkpoints to one safetensors file, and tell what they held; see `plan_import`.

    Raises:
        UsageError: See `plan_import`.
        WeightsError: See `plan_import`; or a number is not finite, or beyond float16.
        OutputError: The target cannot be written.
    """
    plan = plan_import(sources, layouts, layout=layout, dtype=dtype)
    write_one_by_one(plan.tensors, target, plan.metadata)
    return plan.found


def plan_import(
    sources: Sequence[Path], layouts: Sequence[Layout], *, layout: str | None = None, dtype: torch.dtype | None = None
) -> Import:
    """Find the tensors of checkpoints by our names, and tell what they hold.

    Args:
        sources: Files, each with networks that the others lack.
        layouts: Those that are known.
        layout: Name of the layout of every source; without one, it is recognised.
        dtype: What floats become; without one, they stay as they are, and float64 becomes float32.

    Raises:
        UsageError: There is no such layout, or two sources hold the same network.
        WeightsError: A source is damaged, hostile or incomplete, or of no known layout.
    """
    planned: dict[str, PlannedTensor] = {}
    found = []
    for source in sources:
        checkpoint, names = _opened(source)
        chosen = _chosen(source, names, layouts, layout)
        pieces = {name: piece for table in chosen.tables(names.keys()).values() for name, piece in table.items()}
        if twice := planned.keys() & pieces.keys():
            raise UsageError(f"{source}: another file holds {min(twice)} as well. Give each network once.")
        planned |= {name: _planned(checkpoint, names[piece.source], piece, dtype) for name, piece in pieces.items()}
        found.append((_told(checkpoint, names, chosen), checkpoint))
    return Import(planned, _metadata(found), [told for told, _ in found])


def _opened(source: Path) -> tuple[Checkpoint, dict[str, str]]:
    """Return a checkpoint, and the names in it by what they are without a wrapper's prefix and peft's additions."""
    checkpoint = open_checkpoint(source)
    wrapped = all(name.startswith(_WRAPPER) for name in checkpoint.tensors)
    names: dict[str, str] = {}
    for name in checkpoint.tensors:
        plain = plain_name(name.removeprefix(_WRAPPER) if wrapped else name)
        if plain in names:
            raise WeightsError(f"{source}: {names[plain]} and {name} are both {plain}. Give a file with one of them.")
        names[plain] = name
    return checkpoint, names


def _chosen(source: Path, names: Mapping[str, str], layouts: Sequence[Layout], layout: str | None) -> Layout:
    try:
        return recognise([find_layout(layouts, layout)] if layout else layouts, names.keys())
    except WeightsError as error:
        raise WeightsError(f"{source}: {error}") from error


def _planned(checkpoint: Checkpoint, name: str, piece: Piece, dtype: torch.dtype | None) -> PlannedTensor:
    stored = checkpoint.tensors[name]
    written = _written_dtype(stored, dtype)

    def make() -> Tensor:
        value = piece.of(checkpoint.read(name)).to(written)
        if not torch.isfinite(value).all():
            reason = "beyond float16 (65504) or not finite" if written == torch.float16 else "not finite"
            raise WeightsError(f"{checkpoint.path}: {name} holds numbers {reason}. Try --dtype float32.")
        return value

    return PlannedTensor(written, piece.shape(stored.shape), make)


def _written_dtype(stored: StoredTensor, dtype: torch.dtype | None) -> torch.dtype:
    if not stored.dtype.is_floating_point:
        return torch.int64
    return dtype or (torch.float32 if stored.dtype == torch.float64 else stored.dtype)


def _told(checkpoint: Checkpoint, names: Mapping[str, str], layout: Layout) -> Imported:
    tables, unread = layout.tables(names.keys()), layout.unread(names.keys())
    return Imported(
        checkpoint.path,
        layout.name,
        layout.summary,
        layout.licence,
        {part: _size(checkpoint, names, {piece.source for piece in table.values()}) for part, table in tables.items()},
        dict(Counter(ignored for ignored in unread.values() if ignored)),
        tuple(name for name, ignored in unread.items() if ignored is None),
        checkpoint.passed_over,
    )


def _size(checkpoint: Checkpoint, names: Mapping[str, str], sources: set[str]) -> tuple[int, int]:
    """Return how many tensors these are, and how many numbers."""
    return len(sources), sum(math.prod(checkpoint.tensors[names[source]].shape) for source in sources)


def _metadata(found: Sequence[tuple[Imported, Checkpoint]]) -> dict[str, str]:
    """Return what the written file says of itself."""
    return {
        "source": "; ".join(told.source.name for told, _ in found),
        "source_sha256": "; ".join(checkpoint.sha256() for _, checkpoint in found),
        "layout": "; ".join(told.layout for told, _ in found),
        "licence_hint": "; ".join(told.licence for told, _ in found),
    }
