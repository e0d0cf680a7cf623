"""Latencies as people read them."""

from collections.abc import Collection


def spread(samples_ns: Collection[int]) -> dict[str, float | int]:
    """The distribution in microseconds: p50, p99, max and how many; all 0 without samples."""
    ordered = sorted(samples_ns)
    if not ordered:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0, "count": 0}
    count = len(ordered)

    def at(share: float) -> float:
        return round(ordered[min(int(count * share), count - 1)] / 1_000, 1)

    return {"p50": at(0.5), "p99": at(0.99), "max": at(1.0), "count": count}
