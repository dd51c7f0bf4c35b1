"""A critic of light: tells decoded pictures from true ones, so that the decoder learns to leave nothing to tell.

Source: Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3.2.2, with the
hinge of Lim and Ye 2017, "Geometric GAN", section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

_SLOPE = 0.2


class Critic(nn.Sequential):
    """Judges patches of N x 3 x H x W code values: above 0 where they look true.

    Args:
        width: Channels of the first layer; each further one has twice as many.
        layers: How often the picture is halved.
    """

    def __init__(self, width: int = 32, layers: int = 3) -> None:
        parts: list[nn.Module] = []
        channels = 3
        for wider in (width * 2**i for i in range(layers)):
            parts += [nn.Conv2d(channels, wider, 4, stride=2, padding=1), nn.LeakyReLU(_SLOPE)]
            channels = wider
        super().__init__(*parts, nn.Conv2d(channels, 1, 3, padding=1))


class Verdict(NamedTuple):
    """What a critic says, N x 1 x h x w each.

    Attributes:
        true: Of true pictures.
        made: Of made ones; the critic learns from it, and not what made them.
        fooled: The same, from which what made them learns, and not the critic.
    """

    true: Tensor
    made: Tensor
    fooled: Tensor


def judge(critic: Critic, made: Tensor, true: Tensor) -> Verdict:
    """Judge both kinds of pictures, so that critic and decoder learn in the same step, against one another."""
    frozen = {name: parameter.detach() for name, parameter in critic.named_parameters()}
    return Verdict(critic(true), critic(made.detach()), functional_call(critic, frozen, (made,)))


def adversarial_losses(verdict: Verdict) -> dict[str, Tensor]:
    """Give the critic's own loss, `critic`, and that of what it judges, `adversarial`."""
    true, made, fooled = (each.float() for each in verdict)
    return {"critic": (F.relu(1 - true) + F.relu(1 + made)).mean(), "adversarial": -fooled.mean()}
