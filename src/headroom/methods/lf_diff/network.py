"""What both networks of LF-Diff have in common."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from headroom.methods.contract import MergeInput
from headroom.methods.lf_diff.prior_source import PriorSource
from headroom.nn.mu_law import inverse_mu_law


class Merged(NamedTuple):
    """A merged bracket.

    Attributes:
        tone: N x 3 x H x W mu-law light, 1.0 = full scale of the short frame; it may leave [0, 1] a little.
        prior_error: See `Prior`.
        noise_error: See `Prior`.
    """

    tone: Tensor
    prior_error: Tensor
    noise_error: Tensor


class MergeNetwork(nn.Module):
    """A network that merges brackets with the help of a prior.

    Attributes:
        prior: Where the prior comes from.
    """

    prior: PriorSource

    def forward(self, inputs: MergeInput, truth: Tensor | None, generator: torch.Generator | None = None) -> Merged:
        """Merge N brackets.

        Args:
            inputs: The brackets.
            truth: N x 3 x H x W light of the scene, for a prior of the truth and for the errors; None in use.
            generator: Source of the noise from which the prior is made; None is torch's global one.
        """
        raise NotImplementedError


def light(merged: Merged) -> Tensor:
    """Give the N x 3 x H x W linear light of a merged bracket, 0 to 1."""
    return inverse_mu_law(merged.tone.float().clamp(0, 1))
