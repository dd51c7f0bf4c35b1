from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from headroom.restore.ahead import map_ahead


def test_results_keep_the_order_of_the_items() -> None:
    first_waits = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            first_waits.wait(10)
        else:
            first_waits.set()
        return item * item

    assert list(map_ahead(work, range(20))) == [item * item for item in range(20)]


def test_no_more_is_made_than_is_asked_for_and_waits() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = map_ahead(abs, items(), at_once=3)
    assert next(results) == 0
    assert len(taken) <= 4


def test_an_error_arrives_in_its_place() -> None:
    results = map_ahead(lambda item: 1 / item, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
