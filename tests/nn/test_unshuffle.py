import pytest
import torch
import torch.nn.functional as F

from headroom.nn.unshuffle import UnshuffleConv2d


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_it_is_a_convolution_of_the_unshuffled_picture(factor: int) -> None:
    torch.manual_seed(0)
    convolve = UnshuffleConv2d(5, 7, factor)
    x = torch.randn(2, 5, 12, 18)
    expected = F.conv2d(F.pixel_unshuffle(x, factor), convolve.weight, convolve.bias, padding=1)
    torch.testing.assert_close(convolve(x), expected, atol=1e-5, rtol=0)
