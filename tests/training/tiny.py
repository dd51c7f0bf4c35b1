"""A real training task of a few hundred weights: a small network learns to blur noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from headroom.training.recipe import Recipe, read_recipe

RECIPE = """
[run]
method = "blur"
preset = "tiny"
seed = 7
steps = 24
batch_size = 4
log_every = 1
validate_every = 5
checkpoint_every = 4

[optimiser]
learning_rate = 0.02
warmup_steps = 3

[ema]
decay = 0.9
"""


class Batch(NamedTuple):
    image: Tensor
    target: Tensor


class BlurTask:
    """Dropout, batch statistics and a memory layout of its own are in it because a resume has to bring them back."""

    main_metric = "error"
    higher_is_better = False

    def __init__(self, recipe: Recipe, *, drift: float = 0.0, poisoned: int | None = None) -> None:
        self.run = recipe.run
        self.drift = drift
        self.poisoned = poisoned
        self.validated = self._batch(np.random.SeedSequence([1, 0]), 0.0)

    def build(self) -> nn.Module:
        first = nn.Conv2d(3, 8, 3, padding=1)
        first.weight.data = first.weight.data.contiguous(memory_format=torch.channels_last)
        return nn.Sequential(first, nn.BatchNorm2d(8), nn.Dropout(0.1), nn.ReLU(), nn.Conv2d(8, 3, 1))

    def batch(self, index: int) -> Batch:
        batch = self._batch(np.random.SeedSequence([0, self.run.seed, index]), self.drift * index / self.run.steps)
        return batch if index != self.poisoned else Batch(batch.image, batch.target * torch.inf)

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        difference = network(batch.image) - batch.target
        return {"total": difference.square().mean(), "l1": difference.abs().mean()}

    def validate(self, network: nn.Module) -> dict[str, float]:
        difference = network(self.validated.image) - self.validated.target
        return {"error": float(difference.abs().mean()), "bias": float(difference.mean())}

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        picture = network(self.validated.image)[0].permute(1, 2, 0).clamp(0, 1)
        return np.asarray(picture * 255, np.uint8)

    def parameter_groups(self, network: nn.Module) -> list[dict[str, Any]]:
        return [
            {"params": [p for p in network.parameters() if p.ndim > 1]},
            {"params": [p for p in network.parameters() if p.ndim == 1], "lr": 0.01, "weight_decay": 0.0},
        ]

    def _batch(self, seed: np.random.SeedSequence, offset: float) -> Batch:
        generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
        image = torch.rand((self.run.batch_size, 3, 8, 8), generator=generator)
        return Batch(image, F.avg_pool2d(image, 3, stride=1, padding=1) + offset)


def tiny_recipe(folder: Path, **overrides: str | float) -> Recipe:
    """Read the recipe above; `run__steps=3` overrides `run.steps`."""
    path = folder / "tiny.toml"
    path.write_text(RECIPE)
    return read_recipe(path, {key.replace("__", "."): value for key, value in overrides.items()})
