import pytest
import torch

from headroom.nn.three_frames import short_reference_long


@pytest.mark.parametrize("shape", [(), (3, 4, 5)])
def test_each_bracket_keeps_its_own_reference(shape: tuple[int, ...]) -> None:
    frames = torch.rand(3, 5, *shape)
    found = short_reference_long(frames, torch.tensor([0, 2, 4]))
    for bracket, picked, places in zip(frames, found, ([0, 0, 4], [0, 2, 4], [0, 4, 4]), strict=True):
        assert torch.equal(picked, bracket[places])
