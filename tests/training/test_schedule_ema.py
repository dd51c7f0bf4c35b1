from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

from headroom.training.ema import averaged, decay_at
from headroom.training.recipe import EmaTable, OptimiserTable
from headroom.training.schedule import rate_factor


def test_warmup_and_cosine_equal_torchs_schedulers() -> None:
    table = OptimiserTable(learning_rate=1.0, warmup_steps=4, final_learning_rate_ratio=0.1)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    warmup = LinearLR(optimiser, start_factor=1 / 4, end_factor=1, total_iters=3)
    cosine = CosineAnnealingLR(optimiser, T_max=15, eta_min=0.1)
    schedule = SequentialLR(optimiser, [warmup, cosine], milestones=[4])
    for step in range(20):
        assert rate_factor(table, step, 20) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SequentialLR itself calls its parts in a deprecated way.
            schedule.step()


def test_drops_equal_torchs_step_schedule() -> None:
    table = OptimiserTable(learning_rate=1.0, schedule="drops", drop_every=3)
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=3, gamma=0.1)
    for step in range(10):
        assert rate_factor(table, step, 10) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)
        optimiser.step()
        schedule.step()


def test_ends_of_the_schedule() -> None:
    cosine = OptimiserTable(learning_rate=1.0, final_learning_rate_ratio=0.25)
    assert rate_factor(cosine, 0, 100) == 1.0
    assert rate_factor(cosine, 99, 100) == pytest.approx(0.25)
    assert rate_factor(cosine, 0, 1) == 1.0
    constant = OptimiserTable(learning_rate=1.0, schedule="constant", warmup_steps=2)
    assert [rate_factor(constant, step, 4) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]
    short = OptimiserTable(learning_rate=1.0, warmup_steps=10)
    assert rate_factor(short, 4, 5) == 0.5


def values_of(average: nn.Module) -> list[float]:
    return [float(value) for value in next(average.parameters()).flatten()]


def test_average_has_its_closed_form() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = averaged(network, EmaTable(decay=0.75, warmup=False))
    trajectory = [1.0, -2.0, 5.0, 0.5, 3.0]
    for value in trajectory:
        nn.init.constant_(network.weight, value)
        average.update_parameters(network)
    # The first value enters with weight d^4, value i > 0 with (1 - d) d^(4 - i).
    weights = [0.75**4, *(0.25 * 0.75 ** (4 - i) for i in range(1, 5))]
    assert values_of(average.module) == pytest.approx([sum(w * v for w, v in zip(weights, trajectory, strict=True))])


def test_warmup_lengthens_the_memory() -> None:
    table = EmaTable(decay=0.9)
    assert [decay_at(table, n) for n in (0, 1, 10, 80, 81, 1000)] == pytest.approx([0.1, 2 / 11, 0.55, 0.9, 0.9, 0.9])


def test_average_takes_buffers_as_they_are_and_needs_no_gradient() -> None:
    network = nn.BatchNorm1d(2)
    average = averaged(network, EmaTable())
    network(torch.arange(6.0).reshape(3, 2))
    average.update_parameters(network)
    buffers = average.module.state_dict()
    assert torch.equal(buffers["running_mean"], network.state_dict()["running_mean"])
    assert int(buffers["num_batches_tracked"]) == 1
    assert not average.module.training
    assert network.training
    assert not any(parameter.requires_grad for parameter in average.parameters())
