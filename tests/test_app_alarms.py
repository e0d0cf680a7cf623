"""What is told at once, and how loudly."""

import logging

import pytest

from crosswire.app.alarms import alarm
from crosswire.domain import (
    Absent,
    AnyEvent,
    BreakerClosed,
    BreakerOpened,
    Connected,
    Corrected,
    DoubtMoved,
    Halted,
    Resumed,
)
from crosswire.doubt import NEW_RUN

IDS = ("main", "abc", "")


@pytest.mark.parametrize(
    ("event", "level", "said"),
    [
        (Halted(1, "main", "late accept of abc", "its closure"), logging.WARNING, "late accept"),
        (Resumed(1, "main", "late accept of abc"), logging.WARNING, "no longer halted"),
        (Resumed(1, "main", NEW_RUN), logging.INFO, "a new run"),
        (BreakerOpened(1, "main", "ws", 9, "five faults"), logging.WARNING, "nothing by ws"),
        (BreakerClosed(1, "main", "ws"), logging.WARNING, "places by ws again"),
        (DoubtMoved(1, *IDS, "opened", "no answer"), logging.INFO, "abc: doubt opened: no answer"),
        (Absent(1, *IDS, "neither here nor there"), logging.INFO, "never was: neither here"),
        (Corrected(1, "main", "a fill", "the stream", "a read"), logging.INFO, "corrected: a fill"),
    ],
)
def test_each_is_told_in_one_line(
    caplog: pytest.LogCaptureFixture, event: AnyEvent, level: int, said: str
) -> None:
    with caplog.at_level(logging.INFO):
        alarm(event)
    (record,) = caplog.records
    assert record.levelno == level
    assert said in record.getMessage()
    assert "\n" not in record.getMessage()


@pytest.mark.parametrize(
    "event", [Connected(1, "main", "private"), DoubtMoved(1, *IDS, "ruled out", "a snapshot")]
)
def test_the_rest_is_for_the_journal(caplog: pytest.LogCaptureFixture, event: AnyEvent) -> None:
    with caplog.at_level(logging.INFO):
        alarm(event)
    assert not caplog.records
