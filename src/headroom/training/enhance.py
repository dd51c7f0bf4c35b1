"""Training tasks of enhance methods: a recipe and a folder of panoramas in, what the loop drives out."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from headroom.data.enhancement import EnhancementData, EnhancementSettings
from headroom.data.enhancement_blurred import BlurredData
from headroom.data.enhancement_validation import PHOTOS, SIDE_PX, exposure_errors
from headroom.data.panoramas import load_panoramas
from headroom.methods.contract import EnhanceBatch, Training
from headroom.metrics.enhancement import mean_enhance_scores, score_enhancement
from headroom.training.method_task import MethodTask, images
from headroom.training.recipe import Recipe, Table

_BATCH = 4
"""Validation photos that are predicted at a time."""
_PANEL_PHOTOS = 6

_SidePx = Annotated[int, Field(ge=32, multiple_of=16)]


class Stage(Table):
    """A part of the run: small views teach most in little time.

    Attributes:
        until: Share of the run at which the part ends.
        view_px: Side of its views.
    """

    until: Annotated[float, Field(gt=0, le=1)] = 1.0
    view_px: _SidePx = SIDE_PX


class DataTable(Table):
    """The recipe's `data` table.

    Attributes:
        stages: Parts of the run, in order; the last one ends at 1.
        damage: What views suffer: a wrong exposure, or a blur along random lines.
        error_ev: See `EnhancementSettings`.
        validation_photos: Number of validation photos, a multiple of 4.
        validation_px: Side of the validation photos.
    """

    stages: tuple[Stage, ...] = (Stage(),)
    damage: Literal["exposure", "lines"] = "exposure"
    error_ev: tuple[float, float] = EnhancementSettings().error_ev
    validation_photos: Annotated[int, Field(ge=_BATCH, multiple_of=_BATCH)] = PHOTOS
    validation_px: _SidePx = SIDE_PX


class EnhanceTask(MethodTask[EnhanceBatch]):
    """Trains one preset of one enhance method; see `headroom.training.task.Task`."""

    main_metric = "psnr"
    higher_is_better = True

    def __init__(self, recipe: Recipe, training: Training[EnhanceBatch], panoramas: Path) -> None:
        super().__init__(recipe, training)
        self.table = recipe.table("data", DataTable)
        settings = EnhancementSettings(error_ev=self.table.error_ev)
        self.data = self._damaged(EnhancementData(load_panoramas(panoramas, "train"), settings, recipe.run.seed))
        self.panoramas = panoramas

    def batch(self, index: int) -> EnhanceBatch:
        """Give the batch with this index."""
        # Every process takes one batch of each step; launchers tell their number in this variable.
        share = index // int(os.environ.get("WORLD_SIZE", "1")) / self.recipe.run.steps
        stage = next((stage for stage in self.table.stages if share < stage.until), self.table.stages[-1])
        return self.data.batch(index, self.recipe.run.batch_size, stage.view_px)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Score the validation photos: means over images."""
        scores = [
            score_enhancement(prediction, truth)
            for batch in self._validation
            for prediction, truth in zip(_codes(self._predict(network, batch)), _codes(batch.truth), strict=True)
        ]
        return mean_enhance_scores(scores)

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw validation photos: a row each of photos, predictions and truths."""
        first = EnhanceBatch(*map(torch.cat, zip(*self._validation[:2], strict=True)))
        rows = [
            torch.cat(list(pictures[:_PANEL_PHOTOS]), dim=2)
            for pictures in (first.encoded, self._predict(network, first).cpu(), first.truth)
        ]
        return (torch.cat(rows, dim=1) * 255).byte().permute(1, 2, 0).numpy()

    def _damaged(self, views: EnhancementData) -> EnhancementData | BlurredData:
        return BlurredData(views) if self.table.damage == "lines" else views

    @cached_property
    def _validation(self) -> list[EnhanceBatch]:
        """Photos of the validation panoramas, the same in every run."""
        data = self._damaged(exposure_errors(self.panoramas))
        return [
            data.batch(index, _BATCH, self.table.validation_px)
            for index in range(self.table.validation_photos // _BATCH)
        ]


def _codes(pictures: Tensor) -> list[NDArray[np.uint8]]:
    """Round N x 3 x H x W code values to those of 8-bit files."""
    return [np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8) for picture in images(pictures)]
