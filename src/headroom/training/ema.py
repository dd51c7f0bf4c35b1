"""The exponential moving average of the weights; torch's `AveragedModel` does the work."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from headroom.training.recipe import EmaTable

Tensors = tuple[Tensor, ...] | list[Tensor]


def decay_at(table: EmaTable, updates: int) -> float:
    """Give the weight of the old average in the next update, after this many updates.

    The warm-up (1 + n) / (10 + n) is TensorFlow's `ExponentialMovingAverage` with `num_updates`.
    """
    return min(table.decay, (1 + updates) / (10 + updates)) if table.warmup else table.decay


def averaged(network: nn.Module, table: EmaTable) -> AveragedModel:
    """Make the average of a network, in evaluation mode; its first update copies the weights, buffers always are."""

    def update(average: Tensors, current: Tensors, updates: Tensor | int) -> None:
        step = get_ema_multi_avg_fn(decay_at(table, int(updates)))  # type: ignore[no-untyped-call]
        step(average, current, updates)

    average = AveragedModel(network, multi_avg_fn=update)
    average.requires_grad_(requires_grad=False)
    average.eval()
    return average
