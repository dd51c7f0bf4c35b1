from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from headroom.errors import OutputError, WeightsError
from headroom.training.checkpoint import Reached, Trained, latest_checkpoint, load_checkpoint, save_checkpoint
from headroom.training.ema import averaged
from headroom.training.recipe import EmaTable


def trained(*, width: int = 4, steps: int = 0) -> Trained:
    """Train a small channels-last network with tied weights on noise."""
    torch.manual_seed(width)
    network = nn.Sequential(nn.Conv2d(3, width, 3), nn.Conv2d(width, 3, 1), nn.Conv2d(3, width, 1))
    network[2].bias = network[0].bias
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = Trained(network, averaged(network, EmaTable()), torch.optim.Adam(network.parameters(), 0.01))
    for step in range(steps):
        train_on(state, step)
    return state


def train_on(state: Trained, seed: int) -> None:
    noise = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    state.network(noise).square().mean().backward()
    state.optimiser.step()
    state.optimiser.zero_grad()
    state.average.update_parameters(state.network)


def test_a_loaded_state_trains_on_as_the_saved_one(tmp_path: Path) -> None:
    saved, loaded = trained(steps=3), trained()
    save_checkpoint(tmp_path, saved, Reached(step=3, seconds=1.5))
    checkpoint = latest_checkpoint(tmp_path)
    assert checkpoint is not None
    assert load_checkpoint(checkpoint, loaded) == Reached(step=3, seconds=1.5)
    for state in (saved, loaded):
        train_on(state, 9)
    for one, other in ((saved.network, loaded.network), (saved.average.module, loaded.average.module)):
        pairs = zip(one.parameters(), other.parameters(), strict=True)
        assert all(torch.equal(a, b) and a.stride() == b.stride() for a, b in pairs)


def test_the_newest_two_stay(tmp_path: Path) -> None:
    state = trained()
    for step in (1, 20, 300):
        save_checkpoint(tmp_path, state, Reached(step=step))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000020", "step-00000300"]
    assert latest_checkpoint(tmp_path) == tmp_path / "step-00000300"
    assert latest_checkpoint(tmp_path / "absent") is None


def test_another_network_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, trained(steps=1), Reached(step=1))
    with pytest.raises(WeightsError, match=r"cannot be resumed from .*made for another network"):
        load_checkpoint(tmp_path / "step-00000001", trained(width=5))


@pytest.mark.parametrize("name", ["state.json", "network.safetensors", "average.safetensors", "optimiser.safetensors"])
@pytest.mark.parametrize("kept", [0, 20])
def test_damage_is_named(tmp_path: Path, name: str, kept: int) -> None:
    save_checkpoint(tmp_path, trained(steps=1), Reached(step=1))
    file = tmp_path / "step-00000001" / name
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(WeightsError, match="step-00000001: cannot be resumed from"):
        load_checkpoint(tmp_path / "step-00000001", trained())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        save_checkpoint(tmp_path / "file", trained(), Reached(step=1))
