"""Other functions in the place of torch's, for networks whose layers call those."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode


class InPlaceOf(TorchFunctionMode):
    """Within it, by this thread alone, another function is called where one of torch's would be.

    Args:
        original: A function of torch, such as `torch.nn.functional.conv2d`.
        other: Takes the same arguments.
    """

    def __init__(self, original: Callable[..., Tensor], other: Callable[..., Tensor]) -> None:
        super().__init__()
        self.original, self.other = original, other

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        return (self.other if func is self.original else func)(*args, **(kwargs or {}))
