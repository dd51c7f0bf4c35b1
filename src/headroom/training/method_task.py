"""What the training tasks of all verbs share: the method's network and its loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from headroom.methods import load
from headroom.methods.contract import Examples, Training
from headroom.training.recipe import Recipe


class MethodTask(Generic[Examples]):
    """Trains one preset of one method; a verb adds batches, validation and panel of `headroom.training.task.Task`."""

    def __init__(self, recipe: Recipe, training: Training[Examples]) -> None:
        self.recipe, self.training = recipe, training
        self.loss_settings = recipe.table("loss", training.loss_settings)

    def build(self) -> nn.Module:
        """Make the network as training starts."""
        method = load(self.recipe.run.method)
        network = method.build(method.presets[self.recipe.run.preset].settings)
        self.training.prepare(network, self.loss_settings)
        return network

    def loss(self, network: nn.Module, batch: Examples) -> dict[str, Tensor]:
        """Compute the method's losses."""
        return self.training.loss(network, batch, self.loss_settings)

    def parameter_groups(self, network: nn.Module) -> Iterable[dict[str, Any]]:
        """Give all trainable parameters."""
        return [{"params": [parameter for parameter in network.parameters() if parameter.requires_grad]}]

    def _predict(self, network: nn.Module, batch: Examples) -> Tensor:
        """Predict on the network's device."""
        device = next(network.parameters()).device
        moved: Examples = type(batch)(*(tensor.to(device) for tensor in batch))
        return self.training.predict(network, moved)


def images(batch: Tensor) -> list[NDArray[np.float32]]:
    """Turn N x 3 x H x W into N arrays H x W x 3, as scorers want them."""
    return list(batch.permute(0, 2, 3, 1).float().cpu().numpy())
