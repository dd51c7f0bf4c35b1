"""How the networks learn; for the compact one, the loss is the very error that the scorer measures."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headroom.methods.contract import ExpandBatch, Training
from headroom.methods.hybrid_ae.paper_training import PAPER_TRAINING
from headroom.nn.gain import upsample_gain
from headroom.nn.gain_network import GainNetwork, two_scale_gain

_CELL_PX = 2
"""Training views are twice as fine as the network's grid, so that cells can be clipped in part."""
_LUMINANCE = (0.2126, 0.7152, 0.0722)
_FLOOR = 2.0**-14
_FEWEST_CLIPPED = 16


class CompactLoss(BaseModel):
    """Weights of the loss.

    Attributes:
        chroma: Weight of the colour error relative to the luminance error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    chroma: Annotated[float, Field(ge=0)] = 0.3


def predict(network: nn.Module, batch: ExpandBatch) -> Tensor:
    """Expand a batch of photos, at the two scales that are used: N x 3 x H x W linear light."""
    if not isinstance(network, GainNetwork):
        raise TypeError(f"{type(network).__name__} is not the network of hybrid_ae's compact preset")
    return _lifted(batch, two_scale_gain(network, batch.encoded, batch.clipped))


def loss(network: nn.Module, batch: ExpandBatch, settings: CompactLoss) -> dict[str, Tensor]:
    """Compare in log2: the RMSE of luminance over each photo's clipped pixels, and the mean error of its colours.

    Every photo counts the same, however much of it is clipped, as in the scorer. Photos with hardly any clipped
    pixel count nothing. The network learns at one scale: to let the mean of two learn makes it no better.
    """
    share = F.avg_pool2d(batch.clipped, _CELL_PX)
    gain = network(F.avg_pool2d(batch.encoded, _CELL_PX), share).float()
    prediction = _lifted(batch, upsample_gain(gain, share, (batch.linear.shape[2], batch.linear.shape[3])))
    clipped = batch.clipped.amax(1)
    count = clipped.sum((1, 2))
    error = _log2_luminance(prediction) - _log2_luminance(batch.truth)
    stops = ((error**2 * clipped).sum((1, 2)) / count.clamp_min(1) + 1e-4).sqrt()
    per_channel = prediction.clamp_min(_FLOOR).log2() - batch.truth.clamp_min(_FLOOR).log2()
    colour = ((per_channel - error[:, None]).abs().mean(1) * clipped).sum((1, 2)) / count.clamp_min(1)
    counted = (count >= _FEWEST_CLIPPED).float()
    mean_stops, mean_colour = ((term * counted).sum() / counted.sum().clamp_min(1) for term in (stops, colour))
    return {"stops": mean_stops, "chroma": mean_colour, "total": mean_stops + settings.chroma * mean_colour}


def _lifted(batch: ExpandBatch, gain: Tensor) -> Tensor:
    return batch.linear * torch.exp2(gain.float() * batch.clipped)


def _log2_luminance(linear: Tensor) -> Tensor:
    weights = torch.tensor(_LUMINANCE, device=linear.device)
    return torch.einsum("nchw,c->nhw", linear, weights).clamp_min(_FLOOR).log2()


TRAINING = {
    "compact": Training(CompactLoss, loss, predict),
    **dict.fromkeys(("paper", "model_b", "model_a", "unet"), PAPER_TRAINING),
}
