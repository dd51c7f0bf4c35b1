"""Answers of a study, counted."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import pytest

from headroom.benchmark.preferences import (
    Answer,
    Answers,
    Preference,
    count_preferences,
    read_answers,
    sign_test,
    wilson_interval,
)
from headroom.errors import InputError


def answer(left: str, right: str, choice: str) -> Answer:
    return Answer.model_validate({"image": "x", "left": left, "right": right, "choice": choice, "seconds": 1})


def test_answers_are_counted_by_method_and_not_by_side() -> None:
    answers = [
        answer("a", "b", "left"),
        answer("b", "a", "right"),
        answer("b", "a", "left"),
        answer("a", "b", "same"),
        answer("c", "a", "left"),
    ]
    assert count_preferences(answers) == [
        Preference("a", "", 2, 2, 1),
        Preference("a", "b", 2, 1, 1),
        Preference("a", "c", 0, 1, 0),
        Preference("b", "a", 1, 2, 1),
        Preference("c", "a", 1, 0, 0),
    ]
    assert count_preferences([]) == []


def test_shares_leave_undecided_answers_out() -> None:
    preference = Preference("a", "b", 8, 2, 5)
    assert preference.share == 0.8
    # Newcombe 1998 and the binomial table
    assert preference.interval() == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert preference.p_value() == 0.109375
    nobody = Preference("a", "b", 0, 0, 5)
    assert math.isnan(nobody.share)
    assert (nobody.interval(), nobody.p_value()) == ((0, 1), 1)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (1, 7), (8, 10), (50, 100), (1010, 1200), (7, 7)])
def test_wilson_bounds_are_the_shares_at_which_the_score_test_just_rejects(successes: int, trials: int) -> None:
    for bound in wilson_interval(successes, trials):
        distance = abs(successes / trials - bound)
        assert distance == pytest.approx(1.959964 * math.sqrt(bound * (1 - bound) / trials), abs=1e-6)


@pytest.mark.parametrize("trials", [1, 2, 5, 8])
def test_the_sign_test_counts_all_series_of_a_coin(trials: int) -> None:
    series = [sum(series) for series in product((0, 1), repeat=trials)]
    for successes in range(trials + 1):
        as_lopsided = [abs(total - trials / 2) >= abs(successes - trials / 2) for total in series]
        assert sign_test(successes, trials) == pytest.approx(sum(as_lopsided) / len(series))


def test_big_studies_are_counted_exactly() -> None:
    assert sign_test(600, 1200) == 1
    assert 0 < sign_test(1010, 1200) < 1e-100
    assert sign_test(2600, 5000) == pytest.approx(0.00491, abs=2e-4)  # normal approximation, corrected: z = 2.81


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"study": "x", "answers": [{}]}',
        b'{"study": "x", "answers": [{"image": "i", "left": "a", "right": "b", "choice": "up", "seconds": 1}]}',
        b'{"study": "x", "answers": [{"image": "i", "left": "a", "right": "b", "choice": "left", "seconds": -1}]}',
        b'{"study": "x", "answers": [], "more": 1}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_answer_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: holds no answers"):
        read_answers(tmp_path / "a.json")


def test_answers_come_back(tmp_path: Path) -> None:
    answers = Answers(study="s", answers=(answer("a", "b", "same"),))
    (tmp_path / "a.json").write_text(answers.model_dump_json())
    assert read_answers(tmp_path / "a.json") == answers
    with pytest.raises(InputError, match=r"none\.json"):
        read_answers(tmp_path / "none.json")
