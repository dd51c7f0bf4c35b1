from __future__ import annotations

import json
from pathlib import Path

import pytest

from headroom.errors import OutputError
from headroom.training.log import TrainingLog, read_log


def test_lines_are_json(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, done=0, tensorboard=False)
    log.write(1, {"loss/total": 0.5})
    log.write(2, {"loss/total": 0.25, "learning_rate": 1e-3})
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == read_log(tmp_path / "log.jsonl")
    assert read_log(tmp_path / "log.jsonl")[1] == {"step": 2, "loss/total": 0.25, "learning_rate": 0.001}


@pytest.mark.parametrize("cut", range(1, 28, 3))
def test_a_resumed_log_goes_on_from_the_checkpoint(tmp_path: Path, cut: int) -> None:
    log = TrainingLog(tmp_path, done=0, tensorboard=False)
    for step in range(1, 7):
        log.write(step, {"loss/total": 1 / step})
    path = tmp_path / "log.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert len(read_log(path)) == 6 - (cut > 1)
    TrainingLog(tmp_path, done=4, tensorboard=False).write(5, {"loss/total": 9.0})
    assert [record["step"] for record in read_log(path)] == [1, 2, 3, 4, 5]
    assert read_log(path)[-1]["loss/total"] == 9.0


def test_a_log_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, done=0, tensorboard=False)
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(OutputError, match=r"log\.jsonl: cannot be written"):
        log.write(1, {})


def test_tensorboard_gets_the_same_figures(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path, done=0, tensorboard=True)
    for step in (1, 2):
        log.write(step, {"loss/total": 0.5 / step})
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

    events = EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss/total")] == [(1, 0.5), (2, 0.25)]
