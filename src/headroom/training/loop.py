"""The training loop.

Everything random is a function of the recipe's seed and the step, so a run that is killed anywhere and resumed ends
with the same weights as one that was not; on a CPU bit for bit.

    <out>/recipe.json         the recipe with all defaults
    <out>/log.jsonl           losses, learning rate, speed, validation
    <out>/panels/             pictures of the averaged network
    <out>/checkpoints/        the last two states to resume from
    <out>/best.safetensors    averaged weights of the best validation
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.optim import Adam, AdamW, Optimizer
from torch.utils.data import DataLoader, Dataset

from headroom.errors import HeadroomError, MissingDependency
from headroom.training.best import Best, keep_if_best, read_best
from headroom.training.checkpoint import Reached, Trained, latest_checkpoint, load_checkpoint, save_checkpoint
from headroom.training.ema import averaged
from headroom.training.folder import open_run
from headroom.training.log import TrainingLog
from headroom.training.process import exact_torch, held_interrupt, ignore_interrupts
from headroom.training.recipe import OptimiserTable, Recipe
from headroom.training.schedule import rate_factor
from headroom.training.task import Batch, Task
from headroom.weights.reader import load_into, read_state_dict

if TYPE_CHECKING:
    from accelerate import Accelerator

Progress = Callable[[int, int, float, Mapping[str, float]], None]
"""Called after each step with the steps done, all steps, the seconds left and the step's losses."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        folder: The run's folder; `headroom.training.best.export` packs its weights.
        best: The validation that chose them.
        seconds: Time spent on all steps, those before a resume included.
    """

    folder: Path
    best: Best
    seconds: float


def train(
    task: Task[Any], recipe: Recipe, out: Path, *, resume: bool = False, progress: Progress | None = None
) -> TrainingResult:
    """Train a task's network as its recipe says.

    The first Ctrl-C finishes the step, saves a checkpoint and raises KeyboardInterrupt; a second one stops at once.

    Args:
        task: Network, data, loss and validation.
        recipe: Everything that decides the outcome.
        out: The run's folder; made when missing.
        resume: True to go on from the folder's newest checkpoint, or from the start where there is none.
        progress: Told about every step.

    Raises:
        UsageError: The folder holds a run already, or on resuming one of another recipe.
        WeightsError: The checkpoint is damaged.
        OutputError: The folder cannot be written.
        HeadroomError: The loss, its gradient or the main metric is not a number.
        MissingDependency: `accelerate` is not installed.
    """
    accelerator = _accelerator(recipe.run.precision)
    if accelerator.is_main_process:
        open_run(out, recipe, resume=resume)
    accelerator.wait_for_everyone()
    exact = accelerator.device.type == "cpu"
    with exact_torch(recipe.run.threads, exact=exact), held_interrupt() as interrupt:
        return _Run(task, recipe, out, accelerator).finish(interrupt.is_set, progress)


class _Run:
    """One run between its start, or resume, and its end."""

    def __init__(self, task: Task[Any], recipe: Recipe, out: Path, accelerator: Accelerator) -> None:
        self.task, self.recipe, self.out, self.accelerator = task, recipe, out, accelerator
        torch.manual_seed(recipe.run.seed)
        network = task.build()
        if recipe.run.initial_weights:
            load_into(network, read_state_dict(Path(recipe.run.initial_weights)), recipe.run.initial_weights)
        average = averaged(network, recipe.ema).to(accelerator.device)
        optimiser = _optimiser(task.parameter_groups(network), recipe.optimiser)
        self.rates = [group["lr"] for group in optimiser.param_groups]
        # Accelerate may wrap what is trained; checkpoints hold what is inside.
        self.network, self.optimiser = accelerator.prepare(network, optimiser)
        self.trained = Trained(network, average, optimiser)
        checkpoint = latest_checkpoint(out / "checkpoints")
        self.first = load_checkpoint(checkpoint, self.trained) if checkpoint else Reached()
        self.started = time.monotonic()

    def finish(self, interrupted: Callable[[], bool], progress: Progress | None) -> TrainingResult:
        run, log = self.recipe.run, None
        if self.accelerator.is_main_process:
            log = TrainingLog(self.out, done=self.first.step, tensorboard=run.tensorboard)
        for step, batch in enumerate(self._batches(), start=self.first.step):
            losses = self._update(step, batch)
            done, last, stop = step + 1, step + 1 == run.steps, interrupted()
            if log and (last or done % run.log_every == 0):
                log.write(done, self._figures(done, losses))
            if log and (last or done % run.validate_every == 0):
                self._validate(done, log)
            if log and (last or stop or done % run.checkpoint_every == 0):
                save_checkpoint(self.out / "checkpoints", self.trained, Reached(step=done, seconds=self._seconds()))
            self.accelerator.wait_for_everyone()
            if progress:
                progress(done, run.steps, self._seconds_per_step(done) * (run.steps - done), losses)
            if stop:
                raise KeyboardInterrupt
        return TrainingResult(self.out, read_best(self.out), self._seconds())

    def _batches(self) -> DataLoader[Any]:
        """Prepare the remaining batches in order; of many processes each takes its own of every step."""
        processes, mine = self.accelerator.num_processes, self.accelerator.process_index
        return DataLoader(
            _Batches(self.task),
            batch_size=None,
            sampler=range(self.first.step * processes + mine, self.recipe.run.steps * processes, processes),
            num_workers=self.recipe.run.workers,
            pin_memory=self.accelerator.device.type == "cuda",
            worker_init_fn=ignore_interrupts,
            generator=torch.Generator(),  # The loader draws a seed that nothing uses; not from the task's generator.
        )

    def _update(self, step: int, batch: tuple[Any, ...]) -> dict[str, float]:
        """Take one optimiser step; return the losses and the gradient's norm."""
        from accelerate.utils import send_to_device

        factor = rate_factor(self.recipe.optimiser, step, self.recipe.run.steps)
        for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor
        torch.manual_seed(_seed_of(self.recipe.run.seed, step, self.accelerator.process_index))
        losses = self.task.loss(self.network, send_to_device(batch, self.accelerator.device))
        self.accelerator.backward(losses["total"])
        limit = self.recipe.optimiser.clip_norm or math.inf
        norm = self.accelerator.clip_grad_norm_(self.network.parameters(), limit)
        values = {name: float(value.detach()) for name, value in (losses | {"gradient_norm": norm}).items()}
        if not all(map(math.isfinite, values.values())):
            raise HeadroomError(
                f"{self.out}: step {step + 1} gives {_listed(values)}. The last good checkpoint is "
                f"{latest_checkpoint(self.out / 'checkpoints')}. Train anew at a lower learning rate or clip_norm."
            )
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.trained.average.update_parameters(self.trained.network)
        return values

    def _validate(self, done: int, log: TrainingLog) -> None:
        """Measure the averaged network, draw it, and keep it when it is the best so far."""
        network = self.trained.average.module
        torch.manual_seed(self.recipe.run.seed)
        with torch.no_grad():
            figures, picture = self.task.validate(network), self.task.panel(network)
        metric = self.task.main_metric
        if math.isnan(figures[metric]):
            raise HeadroomError(
                f"{self.out}: the validation after step {done} gives {_listed(figures)}. Check the data."
            )
        log.write(done, {f"validation/{name}": value for name, value in figures.items()})
        log.write_panel(done, picture)
        found = Best(done, metric, figures[metric])
        keep_if_best(self.out, network, found, self.recipe, higher_is_better=self.task.higher_is_better)

    def _figures(self, done: int, losses: Mapping[str, float]) -> dict[str, float]:
        examples = self.recipe.run.batch_size * self.accelerator.num_processes
        return {
            **{f"loss/{name}": value for name, value in losses.items()},
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "examples_per_s": examples / self._seconds_per_step(done),
            "seconds": self._seconds(),
        }

    def _seconds(self) -> float:
        """Time spent on all steps so far."""
        return self.first.seconds + time.monotonic() - self.started

    def _seconds_per_step(self, done: int) -> float:
        """Mean time of a step since the start or resume, validations included."""
        return (time.monotonic() - self.started) / (done - self.first.step)


class _Batches(Dataset[Batch]):
    """A task's batches by index, as torch's loader wants them."""

    def __init__(self, task: Task[Batch]) -> None:
        self.task = task

    def __getitem__(self, index: int) -> Batch:
        return self.task.batch(index)


def _accelerator(precision: str) -> Accelerator:
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise MissingDependency("Training needs accelerate: pip install 'headroom-hdr[train]'.") from error
    return Accelerator(mixed_precision="bf16" if precision == "bfloat16" else "no")


def _optimiser(groups: Iterable[dict[str, Any]], table: OptimiserTable) -> Optimizer:
    kind: type[Adam] = {"adam": Adam, "adamw": AdamW}[table.kind]
    return kind(list(groups), lr=table.learning_rate, betas=table.betas, weight_decay=table.weight_decay)


def _seed_of(seed: int, step: int, process: int) -> int:
    """Mix a step's own seed, so that what the loss draws at random needs no saved state."""
    return int(np.random.SeedSequence([seed, step, process]).generate_state(1, np.uint64)[0])


def _listed(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.6g}" for name, value in values.items())
