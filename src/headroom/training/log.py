"""What a run leaves to read: a JSON-lines log, picture panels and, on request, TensorBoard events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headroom.errors import MissingDependency, OutputError
from headroom.files import atomic_path, write_atomically

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TrainingLog:
    """Writes `log.jsonl`, `panels/` and `events/` of one run folder."""

    def __init__(self, folder: Path, *, done: int, tensorboard: bool) -> None:
        """Open the log of a run of which `done` steps stand; later lines of a killed run are dropped.

        Raises:
            MissingDependency: TensorBoard is asked for and not installed.
        """
        self.folder = folder
        self._path = folder / "log.jsonl"
        kept = [record for record in read_log(self._path) if record["step"] <= done]
        write_atomically(self._path, "".join(json.dumps(record) + "\n" for record in kept).encode())
        self._events = _event_writer(folder / "events", done) if tensorboard else None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add one line: the number of steps done, and named values.

        Raises:
            OutputError: The line cannot be written.
        """
        try:
            with self._path.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps({"step": step, **values}) + "\n")
        except OSError as error:
            raise OutputError(
                f"{self._path}: cannot be written ({error.strerror}). Free space, then resume."
            ) from error
        if self._events is not None:
            for name, value in values.items():
                self._events.add_scalar(name, value, step)
            self._events.flush()

    def write_panel(self, step: int, picture: NDArray[np.uint8]) -> None:
        """Keep an H x W x 3 picture as `panels/step-<step>.png`."""
        panels = self.folder / "panels"
        panels.mkdir(exist_ok=True)
        with atomic_path(panels / f"step-{step:08d}.png") as temporary:
            Image.fromarray(picture).save(temporary)


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the records of a JSON-lines log; a line that a kill cut short, and what follows it, is left out."""
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


def _event_writer(folder: Path, done: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingDependency(
            "run.tensorboard needs TensorBoard, which is not installed: pip install 'headroom-hdr[train]'."
        ) from error
    return SummaryWriter(str(folder), purge_step=done + 1)
