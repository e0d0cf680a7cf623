"""An operator's requests, as JSON in and out: asked of a running bot, or of one opened for them.

The names: status, stop, pause, resume, kill, place, amend, cancel, orders, balances, positions,
fills. Whatever is missing or wrong in a request is a `UserError` of one line.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crosswire.app import views
from crosswire.app.client import Client
from crosswire.app.errors import UserError
from crosswire.app.live import Trader
from crosswire.app.placed import PlacedOrder
from crosswire.app.stages import spread
from crosswire.domain import CancelAll, Kill, Resume, Side, TimeInForce

Request = Mapping[str, Any]
Answer = dict[str, Any]
HOWS = ("cancel", "cancel-all", "flatten")


class Desk:
    """Takes the requests for one trader's accounts."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader
        self.stop_how = "cancel"
        self._clients: dict[str, Client] = {}
        self._answers: dict[str, Callable[[Request], Awaitable[Answer]]] = {
            "status": self._status,
            "stop": self._stop,
            "pause": self._pause,
            "resume": self._resume,
            "kill": self._kill,
            "place": self._place,
            "amend": self._amend,
            "cancel": self._cancel,
            "orders": self._orders,
            "balances": self._balances,
            "positions": self._positions,
            "fills": self._fills,
        }

    def open(self) -> None:
        """Listen to every account."""
        for name in self.trader.config.accounts:
            client = Client(self.trader, name)
            client.listen()
            self._clients[name] = client

    def close(self) -> None:
        """Stop listening."""
        for client in self._clients.values():
            client.leave()

    async def answer(self, request: Request) -> Answer:
        """Do what is asked."""
        ask = request.get("ask")
        found = self._answers.get(ask) if isinstance(ask, str) else None
        if found is None:
            raise UserError(f"unknown request: expected one of {', '.join(self._answers)}")
        return await found(request)

    def client(self, request: Request) -> Client:
        """Return the account that a request names; the only one if it names none."""
        name = str(request.get("account") or "")
        if not name and len(self._clients) == 1:
            return next(iter(self._clients.values()))
        if name not in self._clients:
            known = ", ".join(self._clients)
            raise UserError(f'no account "{name}": expected one of {known}')
        return self._clients[name]

    # --- the bot -------------------------------------------------------------------------------

    async def _status(self, request: Request) -> Answer:
        trader = self.trader
        config = trader.config
        return {
            "bot": config.bot,
            "mode": config.mode,
            "run": trader.journal.run,
            "strategies": {
                name: "paused" if slot.is_paused else "quoting"
                for name, slot in trader.engine.slots.items()
            },
            "accounts": {name: self._account(client) for name, client in self._clients.items()},
            "remarks": trader.remarks(),
            "tick_to_trade_us": spread(trader.tick_to_trade_ns),
            "loop_lag_us": spread(trader.lag_ns),
        }

    def _account(self, client: Client) -> Answer:
        return {
            "venue": client.venue,
            **client.statistics(),
            "halts": dict(self.trader.engine.risk.halted.get(client.account, {})),
            "doubts": self._order_rows(client.doubts()),
            "positions": self._position_rows(client),
        }

    async def _stop(self, request: Request) -> Answer:
        how = request.get("how", "cancel")
        if how not in HOWS:
            raise UserError(f"stop how: expected one of {', '.join(HOWS)}")
        if how == "flatten":
            await self._flatten()
        if how != "cancel":
            for name in self._clients:
                self.trader.submit(CancelAll(name))
        self.stop_how = how
        self.trader.over.set()
        return {"stopping": True, "how": how}

    async def _flatten(self) -> None:
        """Close what our fills have opened, at the market, after the quotes are withdrawn."""
        self.trader.engine.pause(is_paused=True)
        for client in self._clients.values():
            await client.cancel_all()
            for position in client.positions().values():
                if position.quantity:
                    side: Side = "sell" if position.quantity > 0 else "buy"
                    await client.place(position.instrument, side, abs(position.quantity))

    async def _pause(self, request: Request) -> Answer:
        self.trader.engine.pause(is_paused=True, strategy=self._strategy(request))
        return {"paused": True}

    def _strategy(self, request: Request) -> str:
        name = str(request.get("strategy") or "")
        known = list(self.trader.engine.slots)
        if name and name not in known:
            raise UserError(f'no strategy "{name}": expected one of {", ".join(known)}')
        return name

    async def _resume(self, request: Request) -> Answer:
        strategy = self._strategy(request)
        if not strategy:
            for name in ("", *self._clients):
                self.trader.submit(Resume(name))
        self.trader.engine.pause(is_paused=False, strategy=strategy)
        return {"resumed": True}

    async def _kill(self, request: Request) -> Answer:
        self.trader.submit(Kill("", str(request.get("reason") or "an operator's wish")))
        return {"killed": True}

    # --- orders --------------------------------------------------------------------------------

    async def _place(self, request: Request) -> Answer:
        client = self.client(request)
        force: TimeInForce = request.get("time_in_force", "gtc")
        if force not in ("gtc", "gtd", "ioc", "fok"):
            raise UserError("time in force: expected one of gtc, ioc, fok")
        side: Side = request.get("side", "")
        order = await client.place(
            _text(request, "instrument"),
            side,
            _text(request, "quantity"),
            limit=request.get("limit"),
            time_in_force=force,
            post_only=bool(request.get("post_only")),
            reduce_only=bool(request.get("reduce_only")),
        )
        return {"order": views.as_json(order.view())}

    async def _amend(self, request: Request) -> Answer:
        order = self._order(request)
        await order.amend(limit=request.get("limit"), quantity=request.get("quantity"))
        return {"order": views.as_json(order.view())}

    async def _cancel(self, request: Request) -> Answer:
        client = self.client(request)
        if request.get("all"):
            await client.cancel_all()
            return {"open": len(client.orders(open_only=True))}
        order = self._order(request)
        await order.cancel()
        return {"order": views.as_json(order.view())}

    def _order(self, request: Request) -> PlacedOrder:
        return self.client(request).order(_text(request, "id"))

    async def _orders(self, request: Request) -> Answer:
        client = self.client(request)
        found = client.orders(open_only=bool(request.get("open")))
        limit = int(request.get("limit", 100))
        return {"orders": self._order_rows(found[:limit])}

    def _order_rows(self, orders: Sequence[PlacedOrder]) -> list[dict[str, object]]:
        """Orders as JSON, with the age of what is in doubt about them."""
        now_ns = self.trader.now_ns()
        rows = [views.as_json(order.view()) for order in orders]
        for row, order in zip(rows, orders, strict=True):
            since_ns = order.view().doubted_ns
            row["in_doubt_s"] = round((now_ns - since_ns) / 1e9, 1) if since_ns else None
        return rows

    # --- the account ---------------------------------------------------------------------------

    async def _balances(self, request: Request) -> Answer:
        balances = await self.client(request).balances()
        return {"balances": {asset: f"{total:f}" for asset, total in sorted(balances.items())}}

    async def _positions(self, request: Request) -> Answer:
        return {"positions": self._position_rows(self.client(request))}

    def _position_rows(self, client: Client) -> list[dict[str, object]]:
        return [views.as_json(position) for position in client.positions().values()]

    async def _fills(self, request: Request) -> Answer:
        found = await self.client(request).history(int(request.get("limit", 100)))
        return {"fills": [views.as_json(fill) for fill in found]}


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise UserError(f"{name}: expected text; it is missing")
    return value
