"""What a method is: one frozen record of numbers and functions, tensors in and tensors out.

A method folder's `__init__.py` provides `METHOD: Method`. Methods never see files, devices, tiles or memory;
`headroom.restore` does that for all of them, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import torch
from pydantic import BaseModel
from torch import Tensor, nn

Progress = Callable[[float], None]
"""Called with the finished share of the work, 0 to 1."""

Verb = Literal["expand", "merge", "enhance", "generate"]

Inputs = TypeVar("Inputs", bound=tuple[Any, ...])
Examples = TypeVar("Examples", bound=tuple[Tensor, ...])


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network needs and can do, as data.

    Attributes:
        size_multiple: Both sides of the input must be multiples of this; `restore` pads.
        minimum_size_px: Smallest side of the input.
        working_side_px: Long side at which the method sees the whole photo at once, or None when it works at full
            resolution in tiles.
        tile_px: Preferred tile side of a method that works in tiles.
        overlap_px: Overlap of neighbouring tiles, at least twice the radius over which a pixel matters.
        half_precision: True when bfloat16 gives the same picture.
        needs_prompt: True when the method reads words.
        invents_content: True when recovered pixels are generated rather than only continued.
        recovers_shadows: True when the gain of an expand method counts in crushed channels as well as in clipped ones.
        peak_bytes_per_pixel: Memory of one forward pass per input pixel, measured, activations included.
        exact_tiles: False where everything in a tile may matter for a pixel, as in networks that normalise by what they
            see; neighbouring tiles then differ a little, and fade into one another.
        frames: Fewest and most frames of a bracket that a merge method takes; `restore` reduces or completes others.
    """

    size_multiple: int = 1
    minimum_size_px: int = 1
    working_side_px: int | None = None
    tile_px: int = 512
    overlap_px: int = 0
    half_precision: bool = False
    needs_prompt: bool = False
    invents_content: bool = True
    recovers_shadows: bool = False
    peak_bytes_per_pixel: int = 0
    exact_tiles: bool = True
    frames: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Preset:
    """One size of a method.

    Attributes:
        settings: Frozen dataclass of numbers that `Method.build` turns into a network.
        capabilities: What that network needs.
        weights: Catalogue names of its weights, whose keys together are the network's; empty when none ship. Networks
            may share files.
        summary: One line for `headroom methods`.
    """

    settings: Any
    capabilities: Capabilities
    weights: tuple[str, ...]
    summary: str


class ExpandInput(NamedTuple):
    """One photo, or a batch of equally large ones, as an expand method sees it.

    Attributes:
        encoded: N x 3 x H x W code values in [0, 1], in the photo's own curve.
        linear: N x 3 x H x W linear light, 1.0 = full scale.
        clipped: N x 3 x H x W share of each cell's pixels whose channel is clipped, in [0, 1]; only 0 and 1 at
            full resolution.
        crushed: The same of channels with codes below `CRUSHED_BELOW_CODE`; None where nobody counted them.
    """

    encoded: Tensor
    linear: Tensor
    clipped: Tensor
    crushed: Tensor | None = None

    def mapped(self, function: Callable[[Tensor], Tensor]) -> ExpandInput:
        """Apply a function to every tensor that is there."""
        crushed = None if self.crushed is None else function(self.crushed)
        return ExpandInput(function(self.encoded), function(self.linear), function(self.clipped), crushed)


class ExpandBatch(NamedTuple):
    """Training examples of an expand method.

    Attributes:
        encoded: N x 3 x H x W code values in [0, 1].
        linear: N x 3 x H x W the same, linearised; 1.0 = full scale.
        clipped: N x 3 x H x W, 1 where a code is clipped, else 0.
        truth: N x 3 x H x W the scene's linear light, matched to `linear` where nothing is clipped.
    """

    encoded: Tensor
    linear: Tensor
    clipped: Tensor
    truth: Tensor


class ExposureBatch(NamedTuple):
    """Training examples of an expand method that learns what a photo would show at other exposures.

    Attributes:
        codes: N x 3 x 3 x H x W code values in [0, 1] of each view at three exposures, the shortest first.
        exposure: N x 3 exposure of each over that of the middle one.
        truth: N x 3 x H x W the scene's linear light, 1.0 = where the middle exposure clips.
        photo: N, index of the exposure that stands for a user's photo, int64.
    """

    codes: Tensor
    exposure: Tensor
    truth: Tensor
    photo: Tensor


class MergeInput(NamedTuple):
    """One bracket, or a batch of equally large ones, as a merge method sees it.

    Frames are in ascending exposure, linearised, and aligned to the reference as well as `restore` could. Where a frame
    shows nothing, beyond its border or after a rejection, it holds the reference's light as that frame would have.

    Attributes:
        encoded: N x F x 3 x H x W code values in [0, 1]: linear light ** (1 / 2.2), 1.0 = the frame's own full scale.
        linear: N x F x 3 x H x W the same as scene light, encoded ** 2.2 / `exposure`; 1.0 = full scale of the
            shortest frame.
        exposure: N x F exposure of each frame over that of the shortest, so 1 or more.
        reference: N, index of the frame whose framing and moment the result has, int64.
    """

    encoded: Tensor
    linear: Tensor
    exposure: Tensor
    reference: Tensor


class MergeBatch(NamedTuple):
    """Training examples of a merge method.

    Attributes:
        encoded: See `MergeInput`.
        linear: See `MergeInput`.
        exposure: See `MergeInput`.
        reference: See `MergeInput`.
        truth: N x 3 x H x W light of the scene as the reference saw it, in the units of `linear`, at most 1.
    """

    encoded: Tensor
    linear: Tensor
    exposure: Tensor
    reference: Tensor
    truth: Tensor

    @property
    def inputs(self) -> MergeInput:
        """What the network may see of it."""
        return MergeInput(*self[:4])


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a method that draws its pictures from noise does so; the others pass it over.

    Attributes:
        steps: Evaluations of the denoiser, 1 to 1000.
        strength: Weight of what the photo tells the denoiser; 1 as trained, 0 leaves it to itself.
        guidance: Weight of the words against no words (classifier-free guidance); 1 is the words alone.
        prompt: What the picture shows, in words; empty for none.
        negative_prompt: What it does not show.
    """

    steps: int = 30
    strength: float = 1.0
    guidance: float = 1.0
    prompt: str = ""
    negative_prompt: str = ""


class EnhanceInput(NamedTuple):
    """One photo, or a batch of equally large ones, as an enhance method sees it.

    Attributes:
        encoded: N x 3 x H x W sRGB code values in [0, 1].
        unknown: N x 1 x H x W, 1 where content may be made up, else 0; methods that make nothing up pass it over.
        sampling: How content is made up.
    """

    encoded: Tensor
    unknown: Tensor
    sampling: Sampling = Sampling()


class EnhanceBatch(NamedTuple):
    """Training examples of an enhance method.

    Attributes:
        encoded: N x 3 x H x W code values in [0, 1] of a badly exposed photo, on the 8-bit grid.
        unknown: N x 1 x H x W, 1 where the photo shows nothing because all channels are blown or crushed, else 0.
        truth: N x 3 x H x W sRGB code values in [0, 1] of the same view, well exposed and gently tone-mapped.
        error_ev: N, by how much the photo was exposed more than that.
    """

    encoded: Tensor
    unknown: Tensor
    truth: Tensor
    error_ev: Tensor

    @property
    def inputs(self) -> EnhanceInput:
        """What the network may see of it."""
        return EnhanceInput(self.encoded, self.unknown)


class GenerateInput(NamedTuple):
    """Pictures to be drawn from noise.

    Attributes:
        batch: How many.
        height_px: Their height, a multiple of the preset's `size_multiple`.
        width_px: Their width, the same.
        sampling: How they are drawn.
        wraps: Whether their left and right edges meet, as those of a panorama do.
    """

    batch: int
    height_px: int
    width_px: int
    sampling: Sampling = Sampling()
    wraps: bool = False


class LatentsInput(NamedTuple):
    """Latents that a generative model drew, as an expand method sees them.

    Attributes:
        latents: N x C x h x w, as the denoiser of the model knows them: of a mean near 0 and a deviation near 1. Those
            of Stable Diffusion are what the pipelines of diffusers give with `output_type="latent"`.
        picture: What the model's own decoder makes of them, which has the scale of the light; None to take it as it is.
        prompt: What they show, for methods that read words.
        wraps: See `GenerateInput`.
    """

    latents: Tensor
    picture: ExpandInput | None = None
    prompt: str = ""
    wraps: bool = False


class GenerateBatch(NamedTuple):
    """Training examples of a method that draws pictures from noise.

    Attributes:
        pictures: N x 3 x H x W sRGB code values in [0, 1].
    """

    pictures: Tensor


def _as_they_are(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return state


def _from_nothing(network: nn.Module, settings: BaseModel) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Training(Generic[Examples]):
    """How a network is trained; `training.py` of its folder provides `TRAINING`, one of these by preset.

    Attributes:
        loss_settings: Pydantic model of the recipe's `loss` table.
        loss: (network, batch, loss settings) -> named scalar losses, among them `total`.
        predict: (network, batch) -> N x 3 x H x W as in use, linear light or an enhance method's code values; reads no
            truth.
        prepare: (untrained network, loss settings) -> None: loads the weights that training starts from, and raises
            when what the settings ask for is not there.
        recipe: Name of its recipe in the method's folder without `.toml`; that of the debug twin ends in `_debug`.
        of_exposures: True when an expand method learns from `ExposureBatch` instead of `ExpandBatch`.
    """

    loss_settings: type[BaseModel]
    loss: Callable[[nn.Module, Examples, Any], dict[str, Tensor]]
    predict: Callable[[nn.Module, Examples], Tensor]
    prepare: Callable[[nn.Module, Any], None] = _from_nothing
    recipe: str = "recipe"
    of_exposures: bool = False


@dataclass(frozen=True, slots=True)
class Method(Generic[Inputs]):
    """A method, ready to be built and run.

    Attributes:
        id: Folder name and public name.
        verb: What it does for a user.
        summary: One line for `headroom methods`.
        presets: By name; the first one is the default.
        build: Makes the network of a preset's settings; `nn.Identity` for a method without one.
        run: (network, inputs, generator, progress) -> N x 3 x H x W. For expand: `ExpandInput` to log2 gain over its
            `linear`, or over `CRUSH_LEVEL` where that is more; used in clipped channels, and in crushed ones where the
            method recovers shadows. For merge: `MergeInput` to scene light in the units of `linear`.
            For enhance and generate: `EnhanceInput`, `GenerateInput` to sRGB code values, which may leave [0, 1].
        draw: The same as `run`, of a method that generates, but to the latents that `run` decodes.
        light_of: The same as `run`, of an expand method that can do without a photo: `LatentsInput` to N x 3 x 8h x 8w
            linear light, 1.0 = SDR white.
        own_names: Turns the state dict of a released checkpoint, or of our own, into this network's names.
        read_folder: (settings, folder) -> the network of a preset whose weights may be a folder of several files; None
            where all weights are one file.
    """

    id: str
    verb: Verb
    summary: str
    presets: Mapping[str, Preset]
    build: Callable[[Any], nn.Module]
    run: Callable[[nn.Module, Inputs, torch.Generator, Progress], Tensor]
    draw: Callable[[nn.Module, Inputs, torch.Generator, Progress], Tensor] | None = None
    light_of: Callable[[nn.Module, LatentsInput, torch.Generator, Progress], Tensor] | None = None
    own_names: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = _as_they_are
    read_folder: Callable[[Any, Path], nn.Module] | None = None

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """What it is there for: its verb, and to generate where it makes light of latents."""
        return (self.verb, "generate") if self.light_of else (self.verb,)

    @property
    def default_preset(self) -> str:
        """Name of the preset that is used when none is asked for."""
        return next(iter(self.presets))
