"""The keys of a session's HTTP requests: every part of it takes the next one."""


class Numbers:
    """Counts from 1."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return a number that was never given before."""
        self._last += 1
        return self._last
