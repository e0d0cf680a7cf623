"""Orders for the matching engine, and what was traded of them."""

from crosswire.domain import SelfTrade, Side, TimeInForce
from crosswire.sim.matching import AnyOutcome, Order, Traded


def limit(
    order_id: str,
    owner: str,
    side: Side,
    quantity: int,
    price: int | None,
    *,
    display: int = 0,
    time_in_force: TimeInForce = "gtc",
    post_only: bool = False,
    expire_ns: int = 0,
    self_trade: SelfTrade | None = None,
) -> Order:
    return Order(
        id=order_id,
        owner=owner,
        side=side,
        quantity=quantity,
        price=price,
        display=display,
        time_in_force=time_in_force,
        post_only=post_only,
        expire_ns=expire_ns,
        self_trade=self_trade,
    )


def trades(outcomes: list[AnyOutcome]) -> list[tuple[str, str, int, int]]:
    return [
        (one.maker, one.taker, one.price, one.quantity)
        for one in outcomes
        if isinstance(one, Traded)
    ]
