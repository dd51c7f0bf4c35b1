"""Where a badly exposed photo shows nothing, so that its content has to be made up."""

from __future__ import annotations

from torch import Tensor

BLOWN_CODE = 250 / 255
CRUSHED_CODE = 5 / 255


def unknown_region(codes: Tensor, *, blown: float = BLOWN_CODE, crushed: float = CRUSHED_CODE) -> Tensor:
    """Mark pixels all of whose channels are blown, or all crushed.

    Sagiri marks single channels of code 0 or 255. Here a pixel is known as long as one channel shows something, since a
    pure colour has channels at 0 anywhere, and codes near both ends count, since JPEG moves them.

    Args:
        codes: N x 3 x H x W in [0, 1].
        blown: Code from which on a channel shows nothing.
        crushed: Code up to which a channel shows nothing.

    Returns:
        N x 1 x H x W of 0 and 1.
    """
    # Half a code of tolerance, because 250 / 255 is no exact number.
    half_code = 0.5 / 255
    all_blown = codes.amin(1, keepdim=True) > blown - half_code
    all_crushed = codes.amax(1, keepdim=True) < crushed + half_code
    return (all_blown | all_crushed).to(codes.dtype)
