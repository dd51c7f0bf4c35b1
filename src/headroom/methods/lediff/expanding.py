"""From a photo to the log2 gain of what it does not show: exposures, their fusion, light, and its scale."""

from __future__ import annotations

import torch
from torch import Tensor

from headroom.colour.code_ends import CRUSH_LEVEL, CRUSHED_BELOW_CODE
from headroom.methods.contract import ExpandInput, Progress
from headroom.methods.lediff.anchoring import anchored
from headroom.methods.lediff.continuing import continued
from headroom.methods.lediff.expose import expose
from headroom.methods.lediff.exposer import DIRECTIONS, Direction, Exposer
from headroom.methods.lediff.network import LEDiff
from headroom.nn.gain_network import expected_gain
from headroom.nn.latent.tiling import decode_tiled, encode_tiled

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_FLOOR = 2.0**-20
_NEAREST = 0.25
"""Share of the measured pixels by which light is scaled: those that are nearest to what is to be found."""


def expand(network: LEDiff, inputs: ExpandInput, generator: torch.Generator, progress: Progress) -> Tensor:
    """Predict N x 3 x H x W log2 gain where channels are clipped or crushed, 0 elsewhere; see `Method.run`."""
    lost = {"highlights": inputs.clipped, "shadows": inputs.crushed}
    wanted = [direction for direction in DIRECTIONS if _is_wanted(network, direction, lost[direction])]
    gain = torch.zeros_like(inputs.linear)
    for number, direction in enumerate(wanted):
        exposer, where = network.towards(direction), lost[direction]
        if exposer is not None and where is not None:
            told = _part(progress, number, len(wanted))
            light = _light(exposer, inputs.encoded, where, direction, generator, told)
            light = light * scale_of(light, inputs, direction)
            found = light.clamp_min(_FLOOR).log2() - inputs.linear.clamp_min(CRUSH_LEVEL).log2()
            found = continued(found, _measured(inputs.encoded, where))
            if direction == "highlights" and network.anchor is not None:
                expected = expected_gain(network.anchor, inputs.encoded, inputs.clipped)
                found = anchored(found, expected, inputs.clipped)
            gain = torch.where(where > 0, found, gain)
    progress(1.0)
    return gain


def _is_wanted(network: LEDiff, direction: Direction, lost: Tensor | None) -> bool:
    return network.towards(direction) is not None and lost is not None and bool(lost.any())


def _measured(encoded: Tensor, lost: Tensor) -> Tensor:
    """Give the share of each cell's pixels whose channel the photo shows, N x 3 x H x W."""
    return (1 - lost) * ((encoded >= CRUSHED_BELOW_CODE / 255) & (encoded < 1))


def _part(progress: Progress, number: int, count: int) -> Progress:
    """Tell of one of some equal parts of the work."""
    return lambda share: progress((number + share) / count)


def _light(
    exposer: Exposer,
    encoded: Tensor,
    lost: Tensor,
    direction: Direction,
    generator: torch.Generator,
    progress: Progress,
) -> Tensor:
    """Give the scene's light at any scale, of N photos."""
    photo = encode_tiled(exposer, encoded)
    exposures = expose(exposer, photo, direction, exposer.options, generator, progress, lost)
    return exposer.light_of(decode_tiled(exposer, exposer.fusion(exposures)))


def scale_of(light: Tensor, inputs: ExpandInput, direction: Direction) -> Tensor:
    """Give the factor that brings light to a photo's own, N x 1 x 1 x 1: their median ratio in measured pixels."""
    measured = (inputs.clipped.amax(1) == 0) & (inputs.encoded.amin(1) >= CRUSHED_BELOW_CODE / 255)
    seen, made = _log2_luminance(inputs.linear), _log2_luminance(light)
    far = -seen if direction == "highlights" else seen  # how far from what is to be found
    far = far.masked_fill(~measured, torch.nan).flatten(1)
    nearest = far <= far.nanquantile(_NEAREST, dim=1, keepdim=True)
    ratio = (seen - made).flatten(1).masked_fill(~nearest, torch.nan)
    return torch.exp2(ratio.nanmedian(1).values.nan_to_num(0.0)).view(-1, 1, 1, 1)


def _log2_luminance(linear: Tensor) -> Tensor:
    weights = torch.tensor(_LUMINANCE, device=linear.device)
    return torch.einsum("nchw,c->nhw", linear, weights).clamp_min(_FLOOR).log2()
