"""A long run does not grow, and one that leaks is seen to."""

import json
from collections import deque

import pytest
from typer.testing import CliRunner

from crosswire.app.cli import app
from crosswire.book import Book
from crosswire.orders import Orders
from crosswire.sim.world.soak import Sample, count_items, growth, is_growing, soak
from tests.samples import BTC, instrument

MINUTES = 5


def test_minutes_of_a_thousand_orders_do_not_grow_us() -> None:
    samples = list(soak(MINUTES))
    assert [sample.minute for sample in samples] == list(range(1, MINUTES + 1))
    assert all(sample.orders > 500 for sample in samples)
    assert not is_growing(samples), growth(samples)


def test_orders_that_are_never_forgotten_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders, "forget", lambda *_: 0)
    samples = list(soak(3))
    assert is_growing(samples)
    assert growth(samples)["Orders._by_id"] > 0.5


def test_what_is_held_is_counted_wherever_it_is() -> None:
    book = Book(instrument())
    vars_of_ours = {BTC: book, "others": [deque([1, 2]), {"a": (1, 2, 3)}]}
    counts = count_items((book,))
    assert counts["Book._bid_keys"] == 0
    nested = Orders()
    vars(nested)["_by_id"] = vars_of_ours
    found = count_items((nested,))
    # The mapping, the list in it, the deque, the inner mapping and the tuple: 2 + 2 + 2 + 1 + 3.
    assert found["Orders._by_id"] == 10
    assert "Book._bid_keys" in found


def test_a_cache_below_its_bound_is_no_growth() -> None:
    held = [{"OrderMemory.orders": n * 100, "Leak.rows": n * 100} for n in range(4)]
    samples = [Sample(n, 100, each) for n, each in enumerate(held)]
    assert growth(samples) == {"Leak.rows": 1.0}
    assert is_growing(samples)
    beyond = Sample(4, 100, {"OrderMemory.orders": 20_100, "Leak.rows": 200})
    assert "OrderMemory.orders" in growth([*samples[:2], beyond, beyond])
    # What swings does not grow.
    assert "OrderMemory.orders" not in growth([*samples[:2], beyond, samples[0]])


def test_a_person_can_run_a_day() -> None:
    outcome = CliRunner().invoke(app, ["campaign", "--soak", "2", "--json"])
    report = json.loads(outcome.stdout.splitlines()[-1])
    assert report["minutes"] == 2
    assert report["orders"] > 1_000
    assert list(report["held"]) == ["1", "2"]
