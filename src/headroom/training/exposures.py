"""Training tasks of methods that make exposures: a recipe and a folder of panoramas in, what the loop drives out."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from headroom.colour.code_ends import CRUSHED_BELOW_CODE
from headroom.data.camera import CameraSettings
from headroom.data.expansion import log2_luminance
from headroom.data.exposures import ExposureData, ExposureSettings, Photo
from headroom.data.panoramas import load_panoramas
from headroom.methods.contract import ExposureBatch, Training
from headroom.training.method_task import MethodTask
from headroom.training.recipe import Recipe, Table

_BATCH = 4
"""Validation views that are seen at a time."""
_VALIDATION_SEED = 781
_FEWEST_LOST = 16
"""Pixels that a photo has to lack to count."""

_SidePx = Annotated[int, Field(ge=32, multiple_of=32)]
_Range = tuple[float, float]

# All values are spelled out but for the recipe's own: those of training may move, and scores must stay comparable.
_VALIDATION_CAMERA = CameraSettings(
    families=(("srgb", 0.3), ("gamma", 0.1), ("sigmoid", 0.3), ("monotone", 0.3)),
    colour_gain_ev=0.15,
    shot_noise=4e-4,
    read_noise=2e-3,
    jpeg_chance=0.7,
    jpeg_quality=(50.0, 100.0),
)


class DataTable(Table):
    """The recipe's `data` table.

    Attributes:
        view_px: Side of the training views.
        photo: See `ExposureSettings`.
        step_ev: See `ExposureSettings`.
        clipped_share: See `ExposureSettings`.
        dark_clipped_share: See `ExposureSettings`.
        field_of_view_degrees: See `ExposureSettings`.
        validation_views: Number of validation views, a multiple of 4.
        validation_px: Side of the validation views.
    """

    view_px: _SidePx = 192
    photo: Photo = "brightest"
    step_ev: _Range = ExposureSettings().step_ev
    clipped_share: _Range = ExposureSettings().clipped_share
    dark_clipped_share: _Range = ExposureSettings().dark_clipped_share
    field_of_view_degrees: _Range = ExposureSettings().field_of_view_degrees
    validation_views: Annotated[int, Field(ge=_BATCH, multiple_of=_BATCH)] = 16
    validation_px: _SidePx = 192


class ExposureTask(MethodTask[ExposureBatch]):
    """Trains one preset of one method that makes exposures; see `headroom.training.task.Task`."""

    main_metric = "loss"
    higher_is_better = False

    def __init__(self, recipe: Recipe, training: Training[ExposureBatch], panoramas: Path) -> None:
        super().__init__(recipe, training)
        self.table = recipe.table("data", DataTable)
        self.settings = ExposureSettings(
            photo=self.table.photo,
            step_ev=self.table.step_ev,
            clipped_share=self.table.clipped_share,
            dark_clipped_share=self.table.dark_clipped_share,
            field_of_view_degrees=self.table.field_of_view_degrees,
        )
        self.data = ExposureData(load_panoramas(panoramas, "train"), self.settings, recipe.run.seed)
        self.panoramas = panoramas

    def batch(self, index: int) -> ExposureBatch:
        """Give the batch with this index."""
        return self.data.batch(index, self.recipe.run.batch_size, self.table.view_px)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Give the loss on the validation views, always with the same noise, and the error of what photos lack."""
        device = next(network.parameters()).device
        losses, stops = [], []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_VALIDATION_SEED)
            for batch in self._validation:
                moved = ExposureBatch(*(tensor.to(device) for tensor in batch))
                losses.append(float(self.loss(network, moved)["total"]))
                stops += lost_stops(self._predict(network, batch).float().cpu(), batch)
        return {"loss": float(np.mean(losses)), "stops": float(np.mean(stops or [0.0]))}

    def panel(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw validation views: for each exposure a row of predictions over a row of truths."""
        batch = self._validation[0]
        prediction = self._predict(network, batch).float().cpu()
        rows = [
            torch.cat(list((light * batch.exposure[:, i].view(-1, 1, 1, 1)).clamp(0, 1) ** (1 / 2.2)), dim=2)
            for i in range(3)
            for light in (prediction, batch.truth)
        ]
        return (torch.cat(rows, dim=1) * 255).round().byte().permute(1, 2, 0).numpy()

    @cached_property
    def _validation(self) -> list[ExposureBatch]:
        """Exposures of the validation panoramas, the same in every run with the same `data` table."""
        settings = ExposureSettings(
            photo=self.table.photo,
            step_ev=self.table.step_ev,
            clipped_share=(0.02, 0.25),
            dark_clipped_share=(0.001, 0.1),
            camera=_VALIDATION_CAMERA,
            field_of_view_degrees=(60.0, 105.0),
            pitch_degrees=(-20.0, 35.0),
            roll_degrees=4.0,
        )
        data = ExposureData(load_panoramas(self.panoramas, "val"), settings, _VALIDATION_SEED)
        return [
            data.batch(index, _BATCH, self.table.validation_px)
            for index in range(self.table.validation_views // _BATCH)
        ]


def lost_stops(light: Tensor, batch: ExposureBatch) -> list[float]:
    """Compare light, N x 3 x H x W, with the truth where each photo shows nothing: RMSE of log2 luminance.

    Light is first scaled to the truth by the median of what the photo shows. Photos that show nearly all count not.
    """
    photos = batch.codes[torch.arange(len(batch.codes)), batch.photo]
    blown, crushed = (photos >= 1).any(1), (photos < CRUSHED_BELOW_CODE / 255).any(1)
    lost = torch.where((batch.photo == 0).view(-1, 1, 1), crushed, blown)
    error = log2_luminance(light) - log2_luminance(batch.truth)
    offset = error.masked_fill(blown | crushed, torch.nan).flatten(1).nanmedian(1).values.nan_to_num(0.0)
    squared = (error - offset.view(-1, 1, 1)).square()
    return [
        float(one[where].mean().sqrt()) for one, where in zip(squared, lost, strict=True) if where.sum() >= _FEWEST_LOST
    ]
