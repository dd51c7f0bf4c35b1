"""Training tasks of expand methods: a recipe and a folder of panoramas in, what the loop drives out."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from headroom.data.camera import CameraSettings
from headroom.data.expansion import ExpansionData, ViewSettings
from headroom.data.panoramas import load_panoramas
from headroom.data.response import ResponseFamily
from headroom.data.validation import BATCH, PHOTOS, SIDE_PX, validation_data
from headroom.methods.contract import ExpandBatch, Training
from headroom.metrics.expansion import mean_scores, score_expansion
from headroom.training.method_task import MethodTask, images
from headroom.training.recipe import Recipe, Table

_PANEL_PHOTOS = 6
_PANEL_EV = (0.0, -2.0, -4.0)


class Stage(Table):
    """A part of the run: small views teach most in little time, and cameras may come nearer to the usual ones.

    Attributes:
        until: Share of the run at which the part ends.
        view_px: Side of its views.
        shoulder_share: Share of cameras with rolled-off highlights; the usual families share the rest.
        highlight_contrast: See `ViewSettings`.
    """

    until: Annotated[float, Field(gt=0, le=1)]
    view_px: Annotated[int, Field(ge=64, multiple_of=64)]
    shoulder_share: Annotated[float, Field(ge=0, le=1)] = 0.4
    highlight_contrast: tuple[float, float] = (1.0, 1.35)


class DataTable(Table):
    """The recipe's `data` table.

    Attributes:
        stages: Parts of the run, in order; the last one ends at 1.
        deep_chance: Chance of a batch that clips up to half of its pixels.
        double_exposure_chance: See `ViewSettings`.
        validation_photos: Number of validation photos, a multiple of 8.
        validation_px: Side of the validation photos.
    """

    stages: tuple[Stage, ...] = (Stage(until=1.0, view_px=384),)
    deep_chance: Annotated[float, Field(ge=0, le=1)] = 0.5
    double_exposure_chance: Annotated[float, Field(ge=0, le=1)] = 0.3
    validation_photos: Annotated[int, Field(ge=BATCH, multiple_of=BATCH)] = PHOTOS
    validation_px: Annotated[int, Field(ge=64, multiple_of=64)] = SIDE_PX


class ExpandTask(MethodTask[ExpandBatch]):
    """Trains one preset of one expand method; see `headroom.training.task.Task`."""

    main_metric = "stops"
    higher_is_better = False

    def __init__(self, recipe: Recipe, training: Training[ExpandBatch], panoramas: Path) -> None:
        super().__init__(recipe, training)
        self.table = recipe.table("data", DataTable)
        train_panoramas = load_panoramas(panoramas, "train")
        self.data = [
            ExpansionData(
                train_panoramas,
                ViewSettings(
                    double_exposure_chance=self.table.double_exposure_chance,
                    highlight_contrast=stage.highlight_contrast,
                ),
                CameraSettings(families=_families(stage.shoulder_share)),
                deep_chance=self.table.deep_chance,
                seed=recipe.run.seed,
            )
            for stage in self.table.stages
        ]
        self.panoramas = panoramas

    def batch(self, index: int) -> ExpandBatch:
        """Give the batch with this index."""
        # Every process takes one batch of each step; launchers tell their number in this variable.
        share = index // int(os.environ.get("WORLD_SIZE", "1")) / self.recipe.run.steps
        last = len(self.table.stages) - 1
        number = next((i for i, stage in enumerate(self.table.stages) if share < stage.until), last)
        return self.data[number].batch(index, self.recipe.run.batch_size, self.table.stages[number].view_px)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Score the validation photos: means over images, and the 90th percentile of the stops."""
        scores = [
            score_expansion(*pictures)
            for batch in self._validation
            for pictures in zip(*map(images, (self._predict(network, batch), batch.truth, batch.encoded)), strict=True)
        ]
        return mean_scores(scores)

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw validation photos: a row of predictions over a row of truths for each exposure."""
        batch = self._validation[0]
        rows = [
            torch.cat(list((image[:_PANEL_PHOTOS] * 2**ev).clamp(0, 1) ** (1 / 2.2)), dim=2)
            for ev in _PANEL_EV
            for image in (self._predict(network, batch).cpu(), batch.truth)
        ]
        return (torch.cat(rows, dim=1)[:, ::2, ::2] * 255).byte().permute(1, 2, 0).numpy()

    @cached_property
    def _validation(self) -> list[ExpandBatch]:
        """Photos of the validation panoramas, the same in every run."""
        data = validation_data(self.panoramas)
        count = self.table.validation_photos // BATCH
        return [data.batch(index, BATCH, self.table.validation_px) for index in range(count)]


def _families(shoulder_share: float) -> tuple[tuple[ResponseFamily, float], ...]:
    """Give the usual response families with their chances, and rolled-off highlights with theirs."""
    usual = CameraSettings().families
    others = (1 - shoulder_share) / sum(chance for _, chance in usual)
    return (*((name, chance * others) for name, chance in usual), ("shoulder", shoulder_share))
