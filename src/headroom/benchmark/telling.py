"""Which images of a data set say most about the methods that were measured on it."""

from __future__ import annotations

from headroom.benchmark.table import Table


def telling_images(table: Table, count: int) -> list[str]:
    """Give the images on which the methods differ most in the first metric; of one method, those that it does worst.

    Args:
        table: Measured rows.
        count: How many at most.
    """
    if not table.measured or not table.columns:
        return []
    metric = table.columns[0]
    by_image: dict[str, list[float]] = {}
    for one in table.measured:
        for name in [*one.scores.images, *one.scores.errors]:
            by_image.setdefault(name, [])
            if (value := one.scores.images.get(name, {}).get(metric.id)) is not None:
                by_image[name].append(value)
    sign = 1 if metric.direction == "lower" else -1

    def worth(name: str) -> float:
        values = by_image[name]
        if not values:
            return float("-inf")
        return max(values) - min(values) if len(table.measured) > 1 else sign * values[0]

    return sorted(sorted(by_image, key=lambda name: (-worth(name), name))[:count])
