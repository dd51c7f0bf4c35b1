"""Where the reconstruction takes its prior from: the truth in stage one, the diffusion after it."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from headroom.methods.lf_diff.diffusion import noised, sample
from headroom.methods.lf_diff.prior import true_light_cells

PriorKind = Literal["none", "truth", "diffusion"]


class Prior(NamedTuple):
    """A prior and how well it was made.

    Attributes:
        value: N x Z x h x w.
        prior_error: Mean absolute error to the true prior; 0 where the truth is not known or is the prior itself.
        noise_error: Mean squared error of the noise that the denoiser finds in the true prior; 0 likewise.
    """

    value: Tensor
    prior_error: Tensor
    noise_error: Tensor


class PriorSource(nn.Module):
    """LPENet, and the conditional diffusion that learns to do without the truth.

    Args:
        lpenet: Unshuffled truth to the prior.
        condition: What the reconstruction knows of the scene to the denoiser's condition; LPENet_DM in the paper.
        denoiser: (noised prior, condition, step) -> noise.
        factor: Side of a cell in pixels.
        prior_channels: Channels of the prior.
        noise: True to start the chain from noise; otherwise it starts from the noise's mean, which makes the prior a
            function of the frames alone.
    """

    def __init__(
        self,
        lpenet: nn.Module,
        condition: nn.Module,
        denoiser: nn.Module,
        *,
        factor: int,
        prior_channels: int,
        noise: bool,
    ) -> None:
        super().__init__()
        self.lpenet, self.condition, self.denoiser = lpenet, condition, denoiser
        self.factor, self.prior_channels, self.noise = factor, prior_channels, noise
        self.kind: PriorKind = "diffusion"
        self.sampling_steps = 10

    def choose(self, kind: PriorKind, sampling_steps: int) -> None:
        """Settle the source, and train nothing that it does not use; LPENet is the fixed target of the diffusion."""
        self.kind, self.sampling_steps = kind, sampling_steps
        self.lpenet.requires_grad_(kind == "truth")
        self.condition.requires_grad_(kind == "diffusion")
        self.denoiser.requires_grad_(kind == "diffusion")

    def forward(self, seen: Tensor, truth: Tensor | None, generator: torch.Generator | None) -> Prior:
        """Give the prior of a batch.

        Args:
            seen: What `condition` takes; its last two sides are those of the prior.
            truth: N x 3 x H x W linear light, or None in use.
            generator: Source of the noise; None is torch's global one.
        """
        none = seen.new_zeros(())
        if self.kind == "diffusion":
            return self._diffused(seen, truth, generator)
        if self.kind == "none" or truth is None:
            return Prior(seen.new_zeros(len(seen), self.prior_channels, *seen.shape[-2:]), none, none)
        return Prior(self.lpenet(true_light_cells(truth, self.factor)), none, none)

    def _diffused(self, seen: Tensor, truth: Tensor | None, generator: torch.Generator | None) -> Prior:
        condition = self.condition(seen)
        start = self._start(condition, generator)
        value = sample(lambda prior, step: self.denoiser(prior, condition, step), start, self.sampling_steps)
        if truth is None:
            return Prior(value, value.new_zeros(()), value.new_zeros(()))
        target = self.lpenet(true_light_cells(truth, self.factor)).detach().float()
        example = noised(target)
        found = self.denoiser(example.prior, condition, example.step)
        return Prior(value, F.l1_loss(value.float(), target), F.mse_loss(found.float(), example.noise))

    def _start(self, condition: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (len(condition), self.prior_channels, *condition.shape[-2:])
        if not self.noise:
            return torch.zeros(shape, device=condition.device)
        device = condition.device if generator is None else generator.device
        return torch.randn(shape, generator=generator, device=device).to(condition.device)
