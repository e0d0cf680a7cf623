"""The keys of a session's HTTP requests: every part of it takes the next one."""

from collections.abc import Callable


class Numbers:
    """Counts from 1."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return a number that was never given before."""
        self._last += 1
        return self._last


# Posts a question; returns the post's number, or 0 where there is no connection.
Post = Callable[[bytes, int], int]


def by_rest_alone(_body: bytes, _now_ns: int) -> int:
    """Post nothing."""
    return 0
