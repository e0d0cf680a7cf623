"""python-kraken-sdk's WebSocket v2 client and its order book client, unchanged."""

import asyncio
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from kraken.spot import SpotClient, SpotOrderBookClient, SpotWSClient, User

from tests.sdk.report import WS_PAIR, Place, Report, place

WAIT_S = 20.0
UPDATES = 10_000
Frame = dict[str, Any]


class Ear:
    """Keeps every frame that the SDK hands over, and waits for one."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.arrived = asyncio.Event()

    async def __call__(self, message: Frame) -> None:
        self.frames.append(message)
        self.arrived.set()

    async def first(self, wanted: Callable[[Frame], Any], since: int = 0) -> Frame:
        """Return the first such frame from `since` on, waiting for it."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for frame in self.frames[since:]:
                    if wanted(frame):
                        return frame
                self.arrived.clear()
                await self.arrived.wait()


class Cases:
    """The cases, in the order in which one builds on the other."""

    def __init__(self, at: Place) -> None:
        key, secret = at.logins[6]
        self.at = at
        self.ear = Ear()
        self.client = SpotWSClient(
            key=key, secret=secret, callback=self.ear, rest_url=at.http, ws_url=at.ws,
            auth_ws_url=f"{at.ws}/auth",
        )  # fmt: skip
        self.number = 1000
        self.price = 0.0
        self.orders: list[str] = []

    async def say(self, method: str, **params: Any) -> list[Frame]:
        """Send a request through the SDK; return its first answer in a list, as seen."""
        self.number += 1
        since = len(self.ear.frames)
        message: Frame = {"method": method, "req_id": self.number}
        if params:
            message["params"] = params
        await self.client.send_message(message)
        return [await self.ear.first(lambda frame: frame.get("req_id") == self.number, since)]

    async def done(self, method: str, **params: Any) -> Any:
        """The same; it must succeed; returns the result."""
        answer = (await self.say(method, **params))[0]
        assert answer.get("success"), answer
        return answer.get("result", answer)

    async def denied(self, text: str, method: str, **params: Any) -> object:
        """The same; it must be refused with this text."""
        answer = (await self.say(method, **params))[0]
        assert answer.get("success") is False, answer
        assert answer["error"] == text, answer["error"]
        return answer["error"]

    # --- market data ---

    async def start(self) -> object:
        await self.client.start()
        status = await self.ear.first(lambda frame: frame.get("channel") == "status")
        await self.ear.first(lambda frame: frame.get("method") == "pong")
        return status["data"][0]

    async def ping(self) -> object:
        return (await self.say("ping"))[0]

    async def subscribe(self, channel: str, **params: Any) -> object:
        since = len(self.ear.frames)
        await self.client.subscribe(params={"channel": channel, **params})
        ack = await self.ear.first(
            lambda frame: frame.get("method") == "subscribe" and _channel(frame) == channel,
            since,
        )
        assert ack["success"], ack
        frame = await self.ear.first(lambda frame: frame.get("channel") == channel, since)
        assert frame["type"] == "snapshot", frame
        assert self.ear.frames.index(ack) < self.ear.frames.index(frame)
        if channel == "book":
            self.price = frame["data"][0]["bids"][0]["price"]
        return f"{ack['result']}, then {str(frame)[:120]}"

    async def unsubscribe(self, channel: str, **params: Any) -> object:
        since = len(self.ear.frames)
        await self.client.unsubscribe(params={"channel": channel, **params})
        ack = await self.ear.first(lambda frame: frame.get("method") == "unsubscribe", since)
        assert ack["success"], ack
        return ack["result"]

    # --- trading ---

    def _limit(self, below: float, **more: Any) -> Frame:
        return {
            "order_type": "limit", "side": "buy", "order_qty": 0.01,
            "limit_price": round(self.price * below, 1), **more,
        }  # fmt: skip

    async def _execution(self, order_id: str, kind: str, **facts: Any) -> Frame:
        """Return the first event of this kind about an order that says this."""
        wanted = {"order_id": order_id, "exec_type": kind, **facts}

        def found(frame: Frame) -> list[Frame]:
            items = frame["data"] if frame.get("channel") == "executions" else []
            return [item for item in items if wanted.items() <= item.items()]

        return found(await self.ear.first(found))[0]

    async def add_order(self) -> object:
        result = await self.done(
            "add_order", symbol=WS_PAIR, **self._limit(0.8, cl_ord_id=uuid.uuid4().hex)
        )
        self.orders.append(result["order_id"])
        event = await self._execution(result["order_id"], "pending_new")
        await self._execution(result["order_id"], "new")
        return f"{result}, executions {event}"

    async def amend_order(self) -> object:
        order_id = self.orders[-1]
        price = round(self.price * 0.81, 1)
        result = await self.done(
            "amend_order", order_id=order_id, order_qty=0.02, limit_price=price
        )
        event = await self._execution(order_id, "amended", order_qty=0.02, limit_price=price)
        return f"{result}, executions {event}"

    async def edit_order(self) -> object:
        made = await self.done("add_order", symbol=WS_PAIR, **self._limit(0.79))
        price = round(self.price * 0.78, 1)
        result = await self.done(
            "edit_order", order_id=made["order_id"], symbol=WS_PAIR, order_qty=0.011,
            limit_price=price,
        )  # fmt: skip
        assert result["original_order_id"] == made["order_id"]
        self.orders.append(result["order_id"])
        return result

    async def cancel_three(self) -> object:
        made = await self.done("add_order", symbol=WS_PAIR, **self._limit(0.77))
        self.orders.append(made["order_id"])
        since = len(self.ear.frames)
        await self.say("cancel_order", order_id=self.orders)
        number = self.number

        def answers() -> list[Frame]:
            return [frame for frame in self.ear.frames[since:] if frame.get("req_id") == number]

        await self.ear.first(lambda _: len(answers()) == 3, since)
        gone = {frame["result"]["order_id"] for frame in answers()}
        assert gone == set(self.orders)
        for order_id in self.orders:
            await self._execution(order_id, "canceled")
        return f"3 answers to request {number}: {sorted(gone)}"

    async def market_order(self) -> object:
        result = await self.done(
            "add_order", symbol=WS_PAIR, order_type="market", side="buy", order_qty=0.0107
        )
        trade = await self._execution(result["order_id"], "trade")
        await self._execution(result["order_id"], "filled")
        return f"{trade['last_qty']} at {trade['last_price']}, fees {trade['fees']}"

    async def batch_add(self) -> object:
        orders = [self._limit(below) for below in (0.7, 0.71)]
        result = await self.done("batch_add", symbol=WS_PAIR, orders=orders)
        self.orders = [row["order_id"] for row in result]
        assert len(self.orders) == 2
        return result

    async def batch_cancel(self) -> object:
        return await self.done("batch_cancel", orders=self.orders)

    async def cancel_all_orders_after(self) -> object:
        armed = await self.done("cancel_all_orders_after", timeout=60)
        await self.done("cancel_all_orders_after", timeout=0)
        return armed

    async def cancel_all(self) -> object:
        await self.done("add_order", symbol=WS_PAIR, **self._limit(0.7))
        result = await self.done("cancel_all")
        assert result["count"] == 1
        return result

    # --- trouble ---

    async def stale_token(self) -> object:
        """A token that nobody took up within its 900 seconds."""
        key, secret = self.at.logins[7]
        user = User(key=key, secret=secret, url=self.at.http)
        token = user.request("POST", "/0/private/GetWebSocketsToken")["token"]
        self.at.switch("skip/901")
        self.number += 1
        since, number = len(self.ear.frames), self.number
        params = {"token": token, "symbol": WS_PAIR, **self._limit(0.7)}
        message = {"method": "add_order", "req_id": number, "params": params}
        await self.client.send_message(message, raw=True)
        answer = await self.ear.first(lambda frame: frame.get("req_id") == number, since)
        assert answer["success"] is False
        assert answer["error"] in {"ESession:Invalid session", "EAPI:Invalid token"}, answer
        return answer["error"]

    async def forced_drop(self) -> object:
        """Both sockets are cut; the SDK comes back and subscribes again by itself."""
        since = len(self.ear.frames)
        self.at.switch("drop")
        for channel in ("book", "executions"):
            await self.ear.first(partial(_is_snapshot, channel), since)
        return f"snapshots of book and executions again, {len(self.ear.frames) - since} frames"


def _is_snapshot(channel: str, frame: Frame) -> bool:
    return frame.get("channel") == channel and frame.get("type") == "snapshot"


def _channel(frame: Frame) -> str:
    return str(frame.get("result", {}).get("channel", ""))


CHANNELS: list[tuple[str, Frame]] = [
    *[("book", {"symbol": [WS_PAIR], "depth": depth}) for depth in (1000, 500, 100, 25, 10)],
    ("ticker", {"symbol": [WS_PAIR]}),
    ("trade", {"symbol": [WS_PAIR], "snapshot": True}),
    ("ohlc", {"symbol": [WS_PAIR], "interval": 1}),
    ("instrument", {}),
]
PRIVATE: list[tuple[str, Frame]] = [
    ("executions", {"snap_orders": True, "snap_trades": True}),
    ("balances", {"snapshot": True}),
    ("level3", {"symbol": [WS_PAIR], "depth": 10}),
]
TRADING = [
    "add_order",
    "amend_order",
    "edit_order",
    "cancel_three",
    "market_order",
    "batch_add",
    "batch_cancel",
    "cancel_all_orders_after",
    "cancel_all",
]
NOBODY = "OAAAAA-AAAAA-AAAAAA"
BATCH_OF_ONE = "EGeneral:Invalid arguments:orders"


async def refusals(report: Report, cases: Cases) -> None:
    """Run one refusal of each kind, with the venue's exact text."""
    good, gone, quantity = cases._limit(0.8), cases.orders[0], {"order_qty": 0.01}
    table: list[tuple[str, str, Frame]] = [
        (
            "add_order",
            "EOrder:Insufficient funds",
            {"symbol": WS_PAIR, **good, "order_qty": 100000},
        ),
        (
            "add_order",
            "EOrder:Order minimum not met",
            {"symbol": WS_PAIR, **good, "order_qty": 1e-5},
        ),
        (
            "add_order",
            "Unsupported field: 'price' for the given msg type: add order",
            {"symbol": WS_PAIR, **good, "price": 1.0},
        ),
        (
            "add_order",
            "Limit_price field must be a number_float",
            {"symbol": WS_PAIR, **good, "limit_price": "26500.4"},
        ),
        ("amend_order", "EOrder:Unknown order", {"order_id": gone, "order_qty": 0.01}),
        ("edit_order", "EOrder:Unknown order", {"order_id": gone, "symbol": WS_PAIR, **quantity}),
        ("cancel_order", "EOrder:Unknown order", {"order_id": [gone]}),
        ("cancel_order", "EOrder:Invalid order", {"order_id": [NOBODY]}),
        ("batch_add", BATCH_OF_ONE, {"symbol": WS_PAIR, "orders": [good]}),
        ("batch_cancel", BATCH_OF_ONE, {"orders": [gone]}),
        (
            "cancel_all_orders_after",
            "EGeneral:Invalid arguments:timeout",
            {"timeout": 86400},
        ),
    ]
    for method, text, params in table:
        await report.wait(
            f"send_message {method} refused",
            partial(cases.denied, text, method, **params),
        )
    await report.wait("subscribe refused", lambda: _bad_subscription(cases))


async def _bad_subscription(cases: Cases) -> object:
    since = len(cases.ear.frames)
    await cases.client.subscribe(params={"channel": "book", "symbol": ["WWW/USD"], "depth": 10})
    answer = await cases.ear.first(lambda frame: frame.get("method") == "subscribe", since)
    assert answer["error"] == "Currency pair not supported WWW/USD", answer
    return answer["error"]


async def order_book(report: Report, at: Place) -> None:
    """The SDK's own book with its own checksum check."""
    SpotOrderBookClient.WS_URL = at.ws
    SpotClient.URL = at.http
    seen = {"updates": 0, "invalid": 0, "after": 0}
    reached, mended = asyncio.Event(), asyncio.Event()

    def on_update(pair: str, message: Frame) -> None:
        if "error" in message:
            seen["invalid"] += 1
            return
        seen["updates"] += 1
        if seen["updates"] >= UPDATES:
            reached.set()
        if seen["invalid"] and message.get("type") == "update":
            seen["after"] += 1
            if seen["after"] > 20:
                mended.set()

    book = SpotOrderBookClient(depth=10, callback=on_update)
    await book.start()

    async def stays_valid() -> object:
        await book.add_book(pairs=[WS_PAIR])
        at.switch("busy/on")
        async with asyncio.timeout(90):
            await reached.wait()
        assert seen["invalid"] == 0, seen
        assert book.get(WS_PAIR)["valid"]
        return f"valid stays True over {seen['updates']} updates"

    async def recovers() -> object:
        at.switch("busy/off")
        at.switch("strike/wrong_checksum")
        async with asyncio.timeout(45):
            await mended.wait()
        assert seen["invalid"] == 1, seen
        return f"one injected bad checksum, {seen['after']} good updates after it"

    await report.wait("SpotOrderBookClient valid", stays_valid)
    await report.wait("SpotOrderBookClient recovers", recovers)
    await book.close()


async def main() -> None:
    """Run all cases."""
    at = place()
    cases, report = Cases(at), Report("python-kraken-sdk WS")
    await report.wait("start", cases.start)
    await report.wait("send_message ping", cases.ping)
    for channel, params in CHANNELS:
        name = f"{channel} {params['depth']}" if "depth" in params else channel
        await report.wait(
            f"subscribe {name}",
            partial(cases.subscribe, channel, **params),
        )
        if params.get("depth") == 10:
            continue  # kept: the drop below must bring it back
        await report.wait(
            f"unsubscribe {name}",
            partial(cases.unsubscribe, channel, **params),
        )
    for channel, params in PRIVATE:
        await report.wait(
            f"subscribe {channel}",
            partial(cases.subscribe, channel, **params),
        )
    await report.wait(
        "unsubscribe level3", partial(cases.unsubscribe, *PRIVATE[-1][:1], **PRIVATE[-1][1])
    )
    for name in TRADING:
        await report.wait(f"send_message {name}", getattr(cases, name))
    await refusals(report, cases)
    await report.wait("stale token", cases.stale_token)
    await report.wait("forced drop", cases.forced_drop)
    await cases.client.close()
    await order_book(report, at)
    report.end()


if __name__ == "__main__":
    asyncio.run(main())
