"""Made-up instruments, events and commands for the tests."""

from typing import Any

from crosswire.domain import (
    Accepted,
    Approved,
    BookReset,
    Closed,
    ClosedCause,
    Filled,
    Instrument,
    Place,
    Rejected,
    Sent,
    Side,
    TimedOut,
)
from crosswire.fixed import parse

ACCOUNT = "mm"
BTC = "kraken:BTC/USD"
S = 1_000_000_000


def instrument(instrument_id: str = BTC) -> Instrument:
    venue, _, name = instrument_id.partition(":")
    base, _, quote = name.partition("/")
    return Instrument(
        instrument_id,
        venue,
        name,
        "spot",
        base,
        quote,
        price_tick=parse("0.1"),
        quantity_step=parse("0.00000001"),
        price_decimals=1,
        quantity_decimals=8,
        min_quantity=parse("0.00005"),
        min_notional=parse("0.5"),
    )


def book_reset(
    bid: str = "100.0", ask: str = "100.2", recv_ns: int = S, instrument_id: str = BTC
) -> BookReset:
    one = parse("1")
    return BookReset(recv_ns, instrument_id, ((parse(bid), one),), ((parse(ask), one),), depth=10)


def place(
    client_order_id: str = "a",
    side: Side = "buy",
    quantity: str = "1",
    price: str | None = "100",
    **rest: Any,
) -> Place:
    limit = None if price is None else parse(price)
    return Place(ACCOUNT, BTC, client_order_id, side, parse(quantity), limit, **rest)


def approved(command: Place, request_id: int = 1, now_ns: int = S) -> Approved:
    return Approved(command, request_id, now_ns)


def sent(request_id: int = 1, *ids: str, recv_ns: int = S) -> Sent:
    return Sent(recv_ns, ACCOUNT, request_id, "ws", ids or ("a",))


def accepted(client_order_id: str = "a", venue_order_id: str = "V", recv_ns: int = S) -> Accepted:
    return Accepted(recv_ns, ACCOUNT, client_order_id, venue_order_id, 1)


def rejected(client_order_id: str = "a", request_id: int = 1) -> Rejected:
    return Rejected(S, ACCOUNT, client_order_id, "", request_id, "no")


def filled(
    quantity: str = "1",
    key: str = "f1",
    client_order_id: str = "a",
    price: str = "100",
    side: Side = "buy",
    fee: str = "0",
) -> Filled:
    return Filled(
        S,
        ACCOUNT,
        client_order_id,
        "V",
        BTC,
        side,
        parse(price),
        parse(quantity),
        key,
        parse(fee),
        "USD",
    )


def closed(
    cause: ClosedCause = "canceled", total: str | None = "0", client_order_id: str = "a"
) -> Closed:
    return Closed(S, ACCOUNT, client_order_id, "V", cause, None if total is None else parse(total))


def timed_out(request_id: int = 1) -> TimedOut:
    return TimedOut(S, ACCOUNT, request_id, "no answer")
