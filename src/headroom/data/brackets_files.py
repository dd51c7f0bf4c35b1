"""Brackets as files, with their truth: what `headroom.merge` is validated on, alignment and all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from headroom.data.bracket_sets.layouts import OWN
from headroom.data.brackets_camera import REFERENCE, BracketCameraSettings, Shots, shoot
from headroom.data.brackets_scene import MOMENTS, SceneSettings, draw_scenes
from headroom.data.layers import render_layers
from headroom.data.motion import MotionSettings, camera_rotation
from headroom.data.panoramas import load_panoramas
from headroom.errors import UsageError
from headroom.files import make_folder, write_atomically
from headroom.image import Encoding, FloatImage, Hdr, Photo
from headroom.io import write_hdr, write_photo
from headroom.io.options import WriteOptions

_FULL_PRECISION = WriteOptions(half=False)
_AT_A_TIME = 4
"""Scenes that are drawn together and lend each other their textures."""
_MOVED = 0.02
"""Relative difference from which the light of a pixel counts as another."""
_DARK = 5e-4  # 1.0 = clip level of the shortest frame; below, it is noise that makes the difference
_RIM_PX = 4


@dataclass(frozen=True, slots=True)
class BracketFileSettings:
    """How they are made.

    Attributes:
        frame_px: Height and width.
        turn_degrees: Standard deviation of yaw, pitch and roll between the reference and another frame.
        scene: Scenes.
        camera: Exposures, noise and depth.
    """

    frame_px: tuple[int, int] = (512, 768)
    turn_degrees: tuple[float, float, float] = (0.7, 0.7, 0.4)
    scene: SceneSettings = field(
        default_factory=lambda: SceneSettings(
            focal_px=(340.0, 560.0),
            pitch_degrees=(-10.0, 20.0),
            roll_degrees=4.0,
            supersample=1.25,
            detail=0.5,
            objects=(1, 3),
            object_ev=(-2.0, 3.0),
            object_side=384,
            background_flutter_px=0,
            motion=MotionSettings(size_px=(160.0, 460.0), still_chance=0, absent_chance=0.04),
        )
    )
    camera: BracketCameraSettings = field(
        default_factory=lambda: BracketCameraSettings(
            steps_ev=((2.0, 0.5), (3.0, 0.5)),
            uneven_chance=0,
            step_error_ev=0,
            clipped_share=(0.006, 0.06),
            noise_share=(0.3, 0.3),
            unclipped_chance=0,
            drowned_chance=0,
            eight_bit_chance=0,
        )
    )


@dataclass(frozen=True, slots=True)
class Example:
    """One bracket and what it shows.

    Attributes:
        frames: H x W x 3 uint16 codes in gamma 2.2, in ascending exposure; the middle one is the reference.
        exposures_ev: Of each frame, relative to the reference.
        truth: H x W x 3 linear light as the reference saw it, 1.0 = clip level of the shortest frame, 1 at most.
        mask: H x W, True where something moved or the reference is clipped, and 4 pixels around.
    """

    frames: tuple[NDArray[np.uint16], ...]
    exposures_ev: tuple[float, ...]
    truth: FloatImage
    mask: NDArray[np.bool_]


def write_validation(
    panoramas: Path, out: Path, *, count: int = 22, seed: int = 0, settings: BracketFileSettings | None = None
) -> Iterator[Path]:
    """Write brackets of the panoramas of the val split, one folder each; gives the folders as they are finished.

    A folder holds three 16-bit TIFF files, `exposure.txt` with an EV a line, the truth in `truth.exr` and, in
    `mask.png`, where something moved or the reference is clipped.

    Raises:
        DataError: The folder holds no panorama of the val split, or they differ in size.
        UsageError: `out` holds files already.
        OutputError: A file cannot be written.
    """
    loaded = load_panoramas(panoramas, "val")
    make_folder(out)
    if any(out.iterdir()):
        raise UsageError(f"{out}: is not empty. Give a new folder.")
    examples = make_examples(loaded, count, seed, settings or BracketFileSettings())
    for number, example in enumerate(examples):
        folder = out / f"bracket_{number:02}"
        _write(folder, example)
        yield folder


def make_examples(
    panoramas: dict[str, Tensor], count: int, seed: int, settings: BracketFileSettings
) -> Iterator[Example]:
    """Draw brackets that depend on nothing but the seed."""
    for start in range(0, count, _AT_A_TIME):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + start)
        low, high = settings.scene.focal_px
        focal_px = low * (high / low) ** torch.rand(_AT_A_TIME, generator=generator)
        turns = torch.tensor(settings.turn_degrees).deg2rad()
        angles = turns * torch.randn(_AT_A_TIME, MOMENTS, 3, generator=generator).clamp(-2.5, 2.5)
        angles[:, REFERENCE] = 0
        # No corner of a turned frame may see beyond the background.
        margin_px = round(2.5 * float(turns.sum()) * (high + settings.frame_px[1] / 2) * 1.2) + 4
        layers = draw_scenes(panoramas, focal_px, settings.frame_px, margin_px, settings.scene, generator)
        camera = camera_rotation(angles, focal_px)
        shots = shoot(render_layers(layers, camera, settings.frame_px), settings.camera, generator)
        level = render_layers(layers, torch.eye(3).expand_as(camera), settings.frame_px) * shots.gain
        for index in range(min(_AT_A_TIME, count - start)):
            yield _example(shots, level, index)


def _example(shots: Shots, level: Tensor, index: int) -> Example:
    """Give one bracket, from what every moment looks like to a camera that keeps still."""
    exposure, moments = shots.exposure[index], level[index]
    reference = moments[REFERENCE]
    difference = (moments - reference).abs() - _MOVED * torch.maximum(moments, reference) - _DARK
    moved = (difference > 0).any(1).any(0)
    clipped = (reference * exposure[REFERENCE] >= 1).any(0)
    codes = (shots.codes[index] * 65535).round().to(torch.int32).permute(0, 2, 3, 1).numpy().astype(np.uint16)
    ev = torch.log2(exposure / exposure[REFERENCE]).tolist()
    truth = reference.clamp(0, 1).permute(1, 2, 0).contiguous().numpy()
    mask = F.max_pool2d((moved | clipped)[None].float(), 2 * _RIM_PX + 1, 1, _RIM_PX)[0] > 0
    return Example(tuple(codes), tuple(round(value, 3) for value in ev), truth, mask.numpy())


def _write(folder: Path, example: Example) -> None:
    make_folder(folder)
    for number, codes in enumerate(example.frames, start=1):
        write_photo(Photo(codes, 16, Encoding(transfer="gamma22")), folder / f"frame_{number}.tif")
    lines = "".join(f"{ev:.3f}\n" for ev in example.exposures_ev)
    write_atomically(folder / OWN.exposures[0], lines.encode())
    mask = np.where(example.mask, 255, 0).astype(np.uint8)
    write_photo(Photo(np.repeat(mask[..., None], 3, axis=2), 8), folder / OWN.mask)
    write_hdr(Hdr(example.truth), folder / OWN.truths[0], options=_FULL_PRECISION)
