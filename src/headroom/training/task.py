"""What the training loop asks of a method."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Batch = TypeVar("Batch", bound=tuple[Any, ...])
"""The task's own NamedTuple of tensors."""


class Task(Protocol[Batch]):
    """A network with its data, its loss and its validation.

    Randomness: `batch` is a pure function of the recipe's seed and the index, so a killed run needs no loader state.
    `build` and `loss` may draw from torch's global generators, which the loop seeds for each step.

    Devices: batches are CPU tensors; `loss`, `validate` and `panel` get networks that are already on their device,
    and `loss` a batch that is there too. Networks stay in the mode, training or evaluation, that `build` left.

    Attributes:
        main_metric: Key of the result of `validate` by which the best weights are chosen.
        higher_is_better: Direction of that metric.
    """

    main_metric: str
    higher_is_better: bool

    def build(self) -> nn.Module:
        """Make the untrained network."""
        ...

    def batch(self, index: int) -> Batch:
        """Give the batch with this index, 0 upwards, on the CPU. Runs in a worker process when the recipe asks."""
        ...

    def loss(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute named scalar losses; `total` is minimised. The network is entered only by calling it."""
        ...

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Measure a network on the validation split, and on nothing else. Gradients are off."""
        ...

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw an H x W x 3 picture that shows where the network stands. Gradients are off."""
        ...

    def parameter_groups(self, network: nn.Module) -> Iterable[dict[str, Any]]:
        """Give the trainable parameters as groups of torch's optimisers; a group may have its own `lr`."""
        ...
