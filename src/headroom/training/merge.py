"""Training tasks of merge methods: a recipe and a folder of panoramas in, what the loop drives out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from headroom.colour.code_ends import BLOWN_CODE
from headroom.data.brackets import BracketData, BracketSettings
from headroom.data.panoramas import load_panoramas
from headroom.methods.contract import MergeBatch, Training
from headroom.metrics.merging import mean_merge_scores, score_merge
from headroom.nn.mu_law import mu_law
from headroom.training.method_task import MethodTask, images
from headroom.training.recipe import Recipe, Table

_BATCH = 8
"""Validation brackets that are made at a time; the random numbers of a bracket depend on it."""
_VALIDATION_SEED = 777
_PANEL_BRACKETS = 6


class DataTable(Table):
    """The recipe's `data` table.

    Attributes:
        patch_px: Side of the training examples.
        validation_brackets: Number of validation examples, a multiple of 8.
        validation_px: Side of the validation examples.
    """

    patch_px: Annotated[int, Field(ge=32, multiple_of=16)] = 128
    validation_brackets: Annotated[int, Field(ge=_BATCH, multiple_of=_BATCH)] = 48
    validation_px: Annotated[int, Field(ge=32, multiple_of=16)] = 256


class MergeTask(MethodTask[MergeBatch]):
    """Trains one preset of one merge method; see `headroom.training.task.Task`."""

    main_metric = "psnr_mu"
    higher_is_better = True

    def __init__(self, recipe: Recipe, training: Training[MergeBatch], panoramas: Path) -> None:
        super().__init__(recipe, training)
        self.table = recipe.table("data", DataTable)
        self.data = BracketData(load_panoramas(panoramas, "train"), BracketSettings(), recipe.run.seed)
        self.panoramas = panoramas

    def batch(self, index: int) -> MergeBatch:
        """Give the batch with this index."""
        return self.data.batch(index, self.recipe.run.batch_size, self.table.patch_px)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Score the validation brackets: means over images; masked ones are about what clips in the reference."""
        scores = [
            score_merge(light, truth, (codes > BLOWN_CODE).any(axis=2))
            for batch in self._validation
            for light, truth, codes in zip(
                *map(images, (self._predict(network, batch), batch.truth, _reference(batch.encoded, batch))),
                strict=True,
            )
        ]
        return mean_merge_scores(scores)

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw validation brackets: a row each of references, predictions and truths in mu-law light."""
        batch = self._validation[0]
        reference = _reference(batch.linear, batch)
        rows = [
            torch.cat(list(mu_law(light[:_PANEL_BRACKETS].clamp(0, 1))), dim=2)
            for light in (reference, self._predict(network, batch).cpu(), batch.truth)
        ]
        return (torch.cat(rows, dim=1) * 255).byte().permute(1, 2, 0).numpy()

    @cached_property
    def _validation(self) -> list[MergeBatch]:
        """Brackets from the validation panoramas, the same in every run."""
        data = BracketData(load_panoramas(self.panoramas, "val"), BracketSettings(), _VALIDATION_SEED)
        count = self.table.validation_brackets // _BATCH
        return [data.batch(index, _BATCH, self.table.validation_px) for index in range(count)]


def _reference(frames: Tensor, batch: MergeBatch) -> Tensor:
    """Pick the reference of N x F x 3 x H x W frames."""
    return frames[torch.arange(len(frames)), batch.reference]
