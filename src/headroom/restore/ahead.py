"""Work that is done in threads while its results are used; NumPy and OpenCV let go of the interpreter meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ahead(function: Callable[[T], R], items: Iterable[T], at_once: int = 2) -> Iterator[R]:
    """Yield `function` of every item, in order, where up to `at_once` results are in the making or wait."""
    with ThreadPoolExecutor(at_once) as pool:
        results: deque[Future[R]] = deque()
        for item in items:
            if len(results) == at_once:
                yield results.popleft().result()
            results.append(pool.submit(function, item))
        while results:
            yield results.popleft().result()
