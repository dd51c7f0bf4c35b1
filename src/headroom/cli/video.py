"""Frames of a video, expanded one after the other and held together."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from headroom.errors import UsageError

if TYPE_CHECKING:
    from headroom.cli.batch import Settings
    from headroom.cli.jobs import Job
    from headroom.image import Hdr


class FlickerMeter:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self._before: Hdr | None = None

    def __call__(self, hdr: Hdr) -> dict[str, Any]:
        """Give the flicker since the last call; None for the first frame, and where nothing can be compared."""
        from headroom.metrics.flicker import flicker_stops

        before, self._before = self._before, hdr
        comparable = before is not None and before.pixels.shape == hdr.pixels.shape
        stops = flicker_stops(before, hdr) if before is not None and comparable else math.nan
        return {"flicker_stops": None if math.isnan(stops) else round(stops, 4)}


def check_smoothing(smoothing: float | None, *, video: bool) -> None:
    """Refuse to smooth photos that have nothing to do with each other.

    Raises:
        UsageError: That is what was asked for.
    """
    if smoothing is not None and not video:
        raise UsageError(f"smoothing {smoothing} holds the frames of a video together. Add --video, or leave it out.")


def expand_video(jobs: Sequence[Job], settings: Settings, smoothing: float | None, *, force: bool, json: bool) -> None:
    """Expand frames in the order of their names; see `headroom.cli.batch.run`."""
    from headroom.cli.batch import expand_one, run
    from headroom.restore.video import Steady

    settings = replace(settings, steady=Steady() if smoothing is None else Steady(smoothing))
    work = partial(expand_one, settings=settings, measure=FlickerMeter())
    run(sorted(jobs, key=_place), work, force=force, json=json)


def _place(job: Job) -> list[tuple[int, str]]:
    """Sort numbers in names by their value, so that frame10 comes after frame9."""
    parts = re.split(r"(\d+)", str(job.source))
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
