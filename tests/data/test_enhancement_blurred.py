from __future__ import annotations

import torch

from headroom.data.enhancement import EnhancementData
from headroom.data.enhancement_blurred import BlurredData


def views(seed: int = 0) -> EnhancementData:
    light = torch.rand(3, 64, 128, generator=torch.Generator().manual_seed(0)) ** 4 * 8
    return EnhancementData({"noise": light}, seed=seed)


def test_only_what_is_marked_differs_from_the_view() -> None:
    batch = BlurredData(views()).batch(3, 2, 64)
    assert torch.equal(batch.truth, views().batch(3, 2, 64).truth)
    differs = (batch.encoded != batch.truth).any(1, keepdim=True)
    assert not differs[batch.unknown == 0].any()
    assert 0.01 < float(batch.unknown.mean()) < 0.9
    assert float(differs[batch.unknown == 1].float().mean()) > 0.9


def test_batches_depend_on_seed_and_number_alone() -> None:
    once, again, later, other = (
        BlurredData(views(seed)).batch(index, 2, 64).encoded for seed, index in ((0, 1), (0, 1), (0, 3), (1, 1))
    )
    assert torch.equal(once, again)
    assert not torch.equal(once, later)
    assert not torch.equal(once, other)


def test_every_other_batch_has_coarse_lines() -> None:
    shares = [float(BlurredData(views()).batch(index, 6, 64).unknown.mean()) for index in range(4)]
    assert max(shares[0], shares[2]) < min(shares[1], shares[3])
