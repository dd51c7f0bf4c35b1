"""What people preferred: the answers of a study, counted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import NormalDist
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headroom.errors import InputError

_LARGEST_BYTES = 10_000_000


class Answer(BaseModel):
    """What one person said of one pair."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str
    left: str
    right: str
    choice: Literal["left", "right", "same"]
    seconds: float = Field(ge=0, allow_inf_nan=False)


class Answers(BaseModel):
    """What the page of a study saves for one person.

    Attributes:
        study: Hash of the study.
        answers: One for each pair that was seen.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Preference:
    """How often one method was preferred to another.

    Attributes:
        method: The method.
        against: The other one; empty for all others together.
        preferred: Answers in its favour.
        lost: Answers in favour of the other.
        same: Answers that saw no difference; they count for neither.
    """

    method: str
    against: str
    preferred: int
    lost: int
    same: int

    @property
    def decided(self) -> int:
        """Answers that chose."""
        return self.preferred + self.lost

    @property
    def share(self) -> float:
        """Share of the decided answers in its favour; nan when there are none."""
        return self.preferred / self.decided if self.decided else math.nan

    def interval(self) -> tuple[float, float]:
        """Give the 95 % confidence interval of the share."""
        return wilson_interval(self.preferred, self.decided)

    def p_value(self) -> float:
        """Give the chance of a result as lopsided as this if there were no preference."""
        return sign_test(self.preferred, self.decided)


def read_answers(path: Path) -> Answers:
    """Read the answers of one person.

    Raises:
        InputError: The file is missing, damaged or something else.
    """
    try:
        with path.open("rb") as file:
            return Answers.model_validate_json(file.read(_LARGEST_BYTES))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: holds no answers of a study. Give the files that its page saved.") from error


def count_preferences(answers: Iterable[Answer]) -> list[Preference]:
    """Count how often each method was preferred, to all others and to each of them."""
    tallies: dict[tuple[str, str], list[int]] = {}
    for answer in answers:
        for method, other, side in ((answer.left, answer.right, "left"), (answer.right, answer.left, "right")):
            tally = tallies.setdefault((method, other), [0, 0, 0])
            tally[2 if answer.choice == "same" else 0 if answer.choice == side else 1] += 1
    preferences = [Preference(method, other, *tally) for (method, other), tally in sorted(tallies.items())]
    counted = []
    for method, group in groupby(preferences, key=lambda preference: preference.method):
        pairs = list(group)
        counted += [_together(method, pairs), *pairs] if len(pairs) > 1 else pairs
    return counted


def _together(method: str, pairs: Sequence[Preference]) -> Preference:
    return Preference(
        method,
        "",
        sum(pair.preferred for pair in pairs),
        sum(pair.lost for pair in pairs),
        sum(pair.same for pair in pairs),
    )


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Give the confidence interval of a share (Wilson 1927); 0 to 1 when there was no trial."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / trials
    centre = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    scale = 1 + z * z / trials
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)


def sign_test(successes: int, trials: int) -> float:
    """Give the two-sided p-value of a fair coin, exactly; 1 when there was no trial."""
    fewer = min(successes, trials - successes)
    # Whole numbers, since 2 ** trials soon is no float any more.
    ways = series = 1
    for i in range(fewer):
        series = series * (trials - i) // (i + 1)
        ways += series
    return min(1.0, 2 * ways / (1 << trials))
