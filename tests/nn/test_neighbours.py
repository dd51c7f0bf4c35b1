import torch
import torch.nn.functional as F

from headroom.nn.neighbours import most_of_neighbours


def test_it_is_a_maximum_pool_that_keeps_the_size() -> None:
    for size in ((1, 1), (1, 7), (8, 5)):
        x = torch.randn(2, 3, *size)
        assert torch.equal(most_of_neighbours(x), F.max_pool2d(x, 3, stride=1, padding=1))
