"""The critic and the decoder learn in the same step, against one another."""

from __future__ import annotations

import lediff_tiny
import pytest
import torch

from headroom.errors import UsageError
from headroom.methods.contract import ExposureBatch
from headroom.methods.lediff.critic import Critic, Verdict, adversarial_losses, judge
from headroom.methods.lediff.names import own_names
from headroom.methods.lediff.network import build
from headroom.methods.lediff.training import LEDiffLoss, loss, prepare
from headroom.nn.latent.settings import LatentPriorSettings


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(seed))


def test_each_learns_from_its_own_loss_alone() -> None:
    torch.manual_seed(0)
    critic = Critic(width=4)
    made, true = pictures(0).requires_grad_(), pictures(1)
    losses = adversarial_losses(judge(critic, made, true))
    losses["adversarial"].backward()
    assert made.grad is not None
    assert made.grad.any()
    assert all(parameter.grad is None for parameter in critic.parameters())
    made.grad = None
    losses["critic"].backward()
    assert made.grad is None
    assert all(parameter.grad is not None for parameter in critic.parameters())


def test_a_critic_learns_the_difference() -> None:
    torch.manual_seed(0)
    critic = Critic(width=4)
    optimiser = torch.optim.Adam(critic.parameters(), lr=1e-2)
    made, true = pictures(0) * 0.5, pictures(1)
    for _ in range(30):
        losses = adversarial_losses(judge(critic, made, true))
        losses["critic"].backward()
        optimiser.step()
        optimiser.zero_grad()
    verdict = judge(critic, made, true)
    assert verdict.true.mean() > 0.5
    assert verdict.made.mean() < -0.5


def test_the_hinge_is_that_of_its_formula() -> None:
    true, made = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-2.0, 0.5, 1.0])
    losses = adversarial_losses(Verdict(true, made, made))
    assert float(losses["critic"]) == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1.5 + 2) / 3)
    assert float(losses["adversarial"]) == pytest.approx(0.5 / 3)


def test_its_weight_brings_a_critic_that_no_user_sees(tiny_prior: LatentPriorSettings) -> None:
    settings = LEDiffLoss(needs_weights=False, adversarial=0.5)
    network = build(lediff_tiny.settings(tiny_prior))
    plain = network.state_dict().keys()
    prepare(network, settings)
    batch = ExposureBatch(
        torch.stack([pictures(i) for i in range(3)], 1), torch.ones(2, 3), pictures(3), torch.tensor([2, 2])
    )
    terms = loss(network, batch, settings)
    terms["total"].backward()
    weights = {"l1": 1.0, "gradient": 1.0, "structure": 0.1, "texture": 1.5, "adversarial": 0.5, "critic": 1.0}
    expected = sum(weight * terms[name] for name, weight in weights.items())
    torch.testing.assert_close(terms["total"], expected)
    assert network.critic is not None
    assert all(parameter.grad is not None for parameter in network.critic.parameters())
    assert own_names(network.state_dict()).keys() == plain
    without = build(lediff_tiny.settings(tiny_prior))
    prepare(without, settings.model_copy(update={"adversarial": 0.0}))
    assert "critic" not in loss(without, batch, LEDiffLoss())


def test_lpips_needs_its_files(tiny_prior: LatentPriorSettings) -> None:
    with pytest.raises(UsageError, match=r"loss\.lpips_backbone or loss\.lpips_heads is missing"):
        prepare(build(lediff_tiny.settings(tiny_prior)), LEDiffLoss(needs_weights=False, lpips=1.0))
