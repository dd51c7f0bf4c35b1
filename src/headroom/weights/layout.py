"""Layouts of released checkpoints: tables from their names to ours, and how a file is recognised by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headroom.errors import UsageError, WeightsError
from headroom.weights.reader import name_some


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one tensor of ours.

    Attributes:
        source: The released tensor's name.
        third: Which third of its rows, where queries, keys and values are stacked; None for all.
        linear: True when it may be a 1 x 1 convolution and becomes a linear layer.
    """

    source: str
    third: int | None = None
    linear: bool = False

    def of(self, released: Tensor) -> Tensor:
        """Cut the piece out of the released tensor."""
        piece = released if self.third is None else released.chunk(3)[self.third]
        return piece.flatten(1) if self.linear and piece.shape[2:] == (1, 1) else piece

    def shape(self, released: tuple[int, ...]) -> tuple[int, ...]:
        """Return the piece's shape by that of the released tensor."""
        return tuple(self.of(torch.empty(released, device="meta")).shape)


Table = Mapping[str, Piece]
"""Pieces by our names."""


def below(prefix: str, table: Table, released_prefix: str = "") -> Table:
    """Put a prefix before our names, and another one before the released ones."""
    return {
        prefix + name: Piece(released_prefix + piece.source, piece.third, piece.linear) for name, piece in table.items()
    }


def unchanged(names: Collection[str], released_prefix: str = "") -> Table:
    """Return the table of a part that differs by a prefix at most."""
    return {name: Piece(released_prefix + name) for name in names}


@dataclass(frozen=True, slots=True)
class Part:
    """One network of a checkpoint.

    Attributes:
        name: What it is, in a word or two.
        tables: Ways in which it was released; the one that finds most names counts, of equal ones the smallest.
    """

    name: str
    tables: tuple[Table, ...]

    def table(self, names: Collection[str]) -> Table:
        """Return the table that finds most of a file's names, of equal ones the smallest."""
        return max(self.tables, key=lambda table: (sum(x.source in names for x in table.values()), -len(table)))


@dataclass(frozen=True, slots=True)
class Layout:
    """A kind of released checkpoint.

    Attributes:
        name: What `--as` takes.
        summary: What it is, for a person.
        licence: What is known of the weights' licence.
        parts: All networks that it holds.
        ignored: What names start with that nobody needs.
        exact: True where a file with further tensors is of another network, and is refused.
    """

    name: str
    summary: str
    licence: str
    parts: tuple[Part, ...]
    ignored: tuple[str, ...] = ()
    exact: bool = False

    def tables(self, names: Collection[str]) -> dict[str, Table]:
        """Return the table of each part for a file with these names."""
        return {part.name: part.table(names) for part in self.parts}

    def sources(self, names: Collection[str]) -> set[str]:
        """Return the released names that it reads from a file with these names."""
        return {piece.source for table in self.tables(names).values() for piece in table.values()}

    def unread(self, names: Collection[str]) -> dict[str, str | None]:
        """Return the names that it does not read, each with what it starts with that nobody needs, or None."""
        used = self.sources(names)
        return {n: next((p for p in self.ignored if n.startswith(p)), None) for n in names if n not in used}


def recognise(layouts: Sequence[Layout], names: Collection[str]) -> Layout:
    """Return the layout that reads most of a file's names; of equal ones, that which lacks the fewest.

    Raises:
        WeightsError: It lacks some, or is exact and there are too many, which are named; or none reads any, and what
            the file has is named.
    """

    def missing(layout: Layout) -> list[str]:
        return sorted(layout.sources(names) - set(names))

    def fit(layout: Layout) -> tuple[int, int]:
        lacking = len(missing(layout))
        return len(layout.sources(names)) - lacking, -lacking

    best = max(layouts, key=fit)
    if fit(best)[0] == 0:
        known = ", ".join(layout.name for layout in layouts)
        raise WeightsError(
            f"of no known layout ({known}). It holds: {name_some(sorted(names))}. Give another checkpoint."
        )
    if lacking := missing(best):
        lacks = name_some([f"{name} is missing" for name in lacking])
        raise WeightsError(f"nearest to the layout {best.name}, but {lacks}. Give the whole checkpoint.")
    unknown = sorted(name for name, ignored in best.unread(names).items() if ignored is None)
    if best.exact and unknown:
        more = name_some([f"{name} is unknown" for name in unknown])
        raise WeightsError(f"nearest to the layout {best.name}, but {more}. Give the released checkpoint.")
    return best


def find_layout(layouts: Sequence[Layout], name: str) -> Layout:
    """Return the layout of this name.

    Raises:
        UsageError: There is none.
    """
    for layout in layouts:
        if layout.name == name:
            return layout
    raise UsageError(f"there is no layout {name!r}; there are {', '.join(layout.name for layout in layouts)}.")


def rename(table: Table, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a released state dict by our names.

    Raises:
        WeightsError: Some are missing; at most ten are named.
    """
    missing = sorted({piece.source for piece in table.values()} - state.keys())
    if missing:
        raise WeightsError(f"this checkpoint lacks {name_some(missing)}. Give a whole one.")
    return {name: piece.of(state[piece.source]) for name, piece in table.items()}
