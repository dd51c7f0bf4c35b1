"""The training task of methods that draw pictures: a recipe and a folder of panoramas in, what the loop drives out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from headroom.data.panoramas import load_panoramas
from headroom.data.pictures import PictureData, PictureSettings
from headroom.methods.contract import GenerateBatch, Training
from headroom.training.method_task import MethodTask
from headroom.training.recipe import Recipe, Table

_BATCH = 4
"""Validation pictures that are seen at a time."""
_VALIDATION_SEED = 779
_PANEL_PICTURES = 6

_SidePx = Annotated[int, Field(ge=32, multiple_of=32)]

# All values are spelled out: those of training may move, and scores must stay comparable.
_VALIDATION = PictureSettings(
    displayed_chance=0.5,
    exposure_ev=(-3.0, 2.0),
    swapped_chance=0.0,
    field_of_view_degrees=(60.0, 105.0),
    pitch_degrees=(-25.0, 40.0),
    roll_degrees=4.0,
)


class DataTable(Table):
    """The recipe's `data` table.

    Attributes:
        view_px: Side of the training pictures.
        displayed_chance: See `PictureSettings`.
        swapped_chance: See `PictureSettings`.
        field_of_view_degrees: See `PictureSettings`.
        validation_pictures: Number of validation pictures, a multiple of 4.
        validation_px: Side of the validation pictures.
    """

    view_px: _SidePx = 128
    displayed_chance: Annotated[float, Field(ge=0, le=1)] = 0.5
    swapped_chance: Annotated[float, Field(ge=0, le=1)] = 0.0
    field_of_view_degrees: tuple[float, float] = (60.0, 105.0)
    validation_pictures: Annotated[int, Field(ge=_BATCH, multiple_of=_BATCH)] = 44
    validation_px: _SidePx = 256


class PriorTask(MethodTask[GenerateBatch]):
    """Trains one preset of one method that draws pictures; see `headroom.training.task.Task`."""

    main_metric = "loss"
    higher_is_better = False

    def __init__(self, recipe: Recipe, training: Training[GenerateBatch], panoramas: Path) -> None:
        super().__init__(recipe, training)
        self.table = recipe.table("data", DataTable)
        settings = PictureSettings(
            displayed_chance=self.table.displayed_chance,
            swapped_chance=self.table.swapped_chance,
            field_of_view_degrees=self.table.field_of_view_degrees,
        )
        self.data = PictureData(load_panoramas(panoramas, "train"), settings, recipe.run.seed)
        self.panoramas = panoramas

    def batch(self, index: int) -> GenerateBatch:
        """Give the batch with this index."""
        return self.data.batch(index, self.recipe.run.batch_size, self.table.view_px)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Give the loss on the validation pictures, always with the same noise, and the PSNR of what comes back."""
        device = next(network.parameters()).device
        losses, psnr = [], []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_VALIDATION_SEED)
            for batch in self._validation:
                losses.append(float(self.loss(network, GenerateBatch(batch.pictures.to(device)))["total"]))
                error = self._predict(network, batch).float().cpu().clamp(0, 1) - batch.pictures
                psnr += (-10 * error.square().mean((1, 2, 3)).log10()).tolist()
        return {"loss": float(np.mean(losses)), "psnr": float(np.mean(psnr))}

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw validation pictures: a row of what comes back from their latents over a row of themselves."""
        batches = [GenerateBatch(batch.pictures[:2]) for batch in self._validation[: _PANEL_PICTURES // 2]]
        rows = [
            torch.cat([picture for batch in batches for picture in show(batch).float().cpu().clamp(0, 1)], dim=2)
            for show in (lambda batch: self._predict(network, batch), lambda batch: batch.pictures)
        ]
        return (torch.cat(rows, dim=1) * 255).round().byte().permute(1, 2, 0).numpy()

    @cached_property
    def _validation(self) -> list[GenerateBatch]:
        """Pictures of the validation panoramas, the same in every run."""
        data = PictureData(load_panoramas(self.panoramas, "val"), _VALIDATION, _VALIDATION_SEED)
        count = self.table.validation_pictures // _BATCH
        return [data.batch(index, _BATCH, self.table.validation_px) for index in range(count)]
