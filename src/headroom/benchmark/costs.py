"""What results cost to make, as their `run.json` tells: columns beside those of metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headroom.benchmark.run_file import Run


@dataclass(frozen=True, slots=True)
class Cost:
    """One cost; lower is better.

    Attributes:
        id: Unique name, among metrics too.
        name: Name for a person.
        unit: Unit of its values.
        of: Gives it for the whole folder; None where the record does not tell.
    """

    id: str
    name: str
    unit: str
    of: Callable[[Run], float | None]


COSTS = (
    Cost("seconds_per_megapixel", "time", "s/MP", lambda run: run.seconds_per_megapixel),
    Cost("peak_memory", "peak memory", "GiB", lambda run: run.peak_bytes / 2**30 if run.peak_bytes else None),
    Cost("parameters", "parameters", "million", lambda run: None if run.parameters is None else run.parameters / 1e6),
)
"""Every cost: the median over the images, the most of any image, and the size of the network."""
