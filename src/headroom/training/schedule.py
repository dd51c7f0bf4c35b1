"""The learning rate as a closed form of the step, so that a resumed run has no scheduler state to restore."""

from __future__ import annotations

import math

from headroom.training.recipe import OptimiserTable


def rate_factor(table: OptimiserTable, step: int, steps: int) -> float:
    """Give the learning rate of a step over the recipe's `learning_rate`.

    Args:
        table: Warm-up and shape.
        step: Index of the step, 0 to `steps` - 1.
        steps: Length of the run.
    """
    if step < table.warmup_steps:
        return (step + 1) / table.warmup_steps
    if table.schedule == "constant":
        return 1.0
    if table.schedule == "drops":
        return 0.1 ** (step // table.drop_every)
    done = (step - table.warmup_steps) / max(steps - 1 - table.warmup_steps, 1)
    final = table.final_learning_rate_ratio
    return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2
