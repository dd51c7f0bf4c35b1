"""What a caller may ask of methods that draw from noise."""

from __future__ import annotations

from headroom.errors import UsageError
from headroom.methods.contract import Sampling

_MOST_STEPS, _LARGEST_STRENGTH, _LARGEST_GUIDANCE = 1000, 4.0, 50.0


def check_sampling(sampling: Sampling, seed: int) -> None:
    """See that every number is within its range.

    Raises:
        UsageError: One is not, or a negative prompt has no effect.
    """
    if not 1 <= sampling.steps <= _MOST_STEPS:
        raise UsageError(f"{sampling.steps} steps: give 1 to {_MOST_STEPS}.")
    if not 0 <= sampling.strength <= _LARGEST_STRENGTH:
        raise UsageError(f"strength {sampling.strength}: give a number from 0 to {_LARGEST_STRENGTH:g}.")
    if not 0 <= sampling.guidance <= _LARGEST_GUIDANCE:
        raise UsageError(f"guidance {sampling.guidance}: give a number from 0 to {_LARGEST_GUIDANCE:g}.")
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed {seed}: give a whole number from 0 to 2**63 - 1.")
    if sampling.negative_prompt and sampling.guidance == 1:
        raise UsageError("a negative prompt means nothing at guidance 1. Give a guidance above 1, such as 7.5.")
