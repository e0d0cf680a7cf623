"""The numbers of a session's requests."""

from crosswire.venues.hyperliquid.session.numbers import Numbers


def test_numbers_never_come_twice() -> None:
    numbers = Numbers()
    assert [numbers.next() for _ in range(3)] == [1, 2, 3]
