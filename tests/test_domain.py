"""The vocabulary: closed unions of frozen structs that survive the journal's way of writing."""

import typing
from types import NoneType, UnionType
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire import domain
from crosswire.domain import AnyCommand, AnyEvent, Approved, Command, Event, Quotes, WantedOrder
from crosswire.fixed import parse
from tests.samples import instrument

EVENTS = typing.get_args(AnyEvent)
COMMANDS = typing.get_args(AnyCommand)


def sample(kind: Any) -> Any:
    """Return some value of a type."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return inner[-1]
    if origin in {typing.Union, UnionType}:
        return sample(next(one for one in inner if one is not NoneType))
    if origin is tuple:
        return (sample(inner[0]),) if inner[-1] is Ellipsis else tuple(map(sample, inner))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return made(kind)
    plain: dict[Any, Any] = {int: 10**18 + 7, str: "BTC/USD \u00b5", bool: True, float: 0.5}
    return plain[kind]


def made(kind: Any) -> Any:
    """Return a struct with every field set."""
    hints = typing.get_type_hints(kind)
    return kind(**{name: sample(hints[name]) for name in kind.__struct_fields__})


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_comes_back_as_it_was_and_as_what_it_was(kind: Any) -> None:
    event = made(kind)
    encoded = msgspec.msgpack.encode(event)
    assert msgspec.msgpack.decode(encoded, type=AnyEvent) == event
    assert type(msgspec.msgpack.decode(encoded, type=AnyEvent)) is kind


@pytest.mark.parametrize("kind", COMMANDS)
def test_an_approved_command_comes_back_as_it_was(kind: Any) -> None:
    approved = Approved(made(kind), 7, 9)
    encoded = msgspec.msgpack.encode(approved)
    assert msgspec.msgpack.decode(encoded, type=AnyEvent | Approved) == approved


@pytest.mark.parametrize("kind", [*EVENTS, *COMMANDS, Approved, Quotes, WantedOrder])
def test_nothing_said_can_be_changed(kind: Any) -> None:
    assert kind.__struct_config__.frozen


def test_the_unions_are_closed() -> None:
    def below(kind: Any) -> set[Any]:
        return {kind}.union(*map(below, kind.__subclasses__()))

    def is_part(kind: Any) -> bool:
        return str(kind.__module__).startswith("crosswire.domain.")

    abstract = {Event, domain.events.OrderEvent}
    assert {kind for kind in below(Event) - abstract if is_part(kind)} <= set(EVENTS)
    assert {kind for kind in below(Command) - {Command} if is_part(kind)} == set(COMMANDS)


def test_every_event_says_when_it_came_and_every_command_in_whose_name() -> None:
    assert all("recv_ns" in kind.__struct_fields__ for kind in EVENTS)
    assert all("account" in kind.__struct_fields__ for kind in COMMANDS)


def test_everything_public_is_there() -> None:
    assert sorted(domain.__all__) == list(dict.fromkeys(sorted(domain.__all__)))
    assert all(hasattr(domain, name) for name in domain.__all__)


# Five significant digits and six decimals, and whole prices always: a perp of many venues.
DIGITS = replace(instrument(), price_tick=parse("0.000001"), price_decimals=6, price_digits=5)


@pytest.mark.parametrize(
    ("price", "below", "above"),
    [
        ("0.99999", "0.99999", "0.99999"),
        ("0.999995", "0.99999", "1"),
        ("1.00005", "1", "1.0001"),
        ("1.0001", "1.0001", "1.0001"),
        ("9.99995", "9.9999", "10"),
        ("99999.5", "99999", "100000"),
        ("123456", "123456", "123456"),
        ("123456.7", "123456", "123457"),
        ("0.0000123", "0.000012", "0.000013"),
    ],
)
def test_a_price_step_may_grow_with_the_price(price: str, below: str, above: str) -> None:
    assert DIGITS.floor_price(parse(price)) == parse(below)
    assert DIGITS.ceil_price(parse(price)) == parse(above)
    assert DIGITS.is_on_grid(parse(price)) == (below == above)


@given(st.integers(1, 10**17))
def test_what_is_rounded_is_on_the_grid_and_nothing_valid_is_nearer(price: int) -> None:
    below, above = DIGITS.floor_price(price), DIGITS.ceil_price(price)
    assert below <= price <= above
    assert DIGITS.is_on_grid(above)
    assert DIGITS.is_on_grid(below) or below == 0
    assert below == above or DIGITS.ceil_price(below + 1) == above
    assert DIGITS.is_on_grid(price) == (below == price == above)


@given(st.integers(1, 10**17))
def test_a_fixed_step_stays_what_it_was(price: int) -> None:
    fixed = instrument()
    below, above = fixed.floor_price(price), fixed.ceil_price(price)
    assert (below % fixed.price_tick, above % fixed.price_tick) == (0, 0)
    assert above - below == (0 if fixed.is_on_grid(price) else fixed.price_tick)
