"""The benchmarks' Kraken: speaks enough of it for every client; see `server` for the rest."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import server, wire
from bench.server import Peer, Tick
from bench.ticks import SYMBOL, Ring, ring

TOKEN = "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw"
PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
    "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "cost_decimals": 5,
    "pair_decimals": 1, "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [],
    "leverage_sell": [], "fees": [[0, 0.40]], "fees_maker": [[0, 0.25]],
    "fee_volume_currency": "ZUSD", "margin_call": 80, "margin_stop": 40, "ordermin": "0.00005",
    "costmin": "0.5", "tick_size": "0.1", "status": "online",
}  # fmt: skip
INSTRUMENTS = (
    '{"channel":"instrument","type":"snapshot","data":{"assets":[{"id":"BTC","status":"enabled",'
    '"precision":10,"precision_display":5,"borrowable":true,"collateral_value":1.00},{"id":"USD",'
    '"status":"enabled","precision":4,"precision_display":2,"borrowable":true,"collateral_value":'
    '1.00}],"pairs":[{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online",'
    '"qty_precision":8,"qty_increment":1e-08,"price_precision":1,"cost_precision":5,"marginable":'
    'true,"has_index":true,"cost_min":0.5,"price_increment":0.1,"tick_size":0.1,'
    '"qty_min":0.00005}]}}'
)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _asset(name: str) -> dict[str, Any]:
    return {
        "aclass": "currency", "altname": name, "decimals": 10, "display_decimals": 5,
        "status": "enabled",
    }  # fmt: skip


def rest(path: str) -> bytes:
    """Return the answer to a REST call; an empty one for what nobody here depends on."""
    name = path.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]
    key = SYMBOL if "pair=BTC" in path else "XXBTZUSD"
    known: dict[str, Callable[[], Any]] = {
        "GetWebSocketsToken": lambda: {"token": TOKEN, "expires": 900},
        "Assets": lambda: {"XXBT": _asset("XBT"), "ZUSD": _asset("USD")},
        "AssetPairs": lambda: {key: PAIR},
        "Time": lambda: {"unixtime": int(time.time()), "rfc1123": ""},
        "SystemStatus": lambda: {"status": "online", "timestamp": _now()},
        "OpenOrders": lambda: {"open": {}},
        "ClosedOrders": lambda: {"closed": {}, "count": 0},
        "TradesHistory": lambda: {"trades": {}, "count": 0},
    }
    return json.dumps({"error": [], "result": known.get(name, dict)()}).encode()


class Venue(server.Server):
    """The scripted venue: answers what a client needs to get going, and its orders."""

    def __init__(self) -> None:
        super().__init__()
        self.ring: Ring = ring()
        self.heartbeat = 0.0
        self.placed = 0
        self.live: dict[str, dict[str, Any]] = {}  # orders by our id, with the client's

    # --- getting going -------------------------------------------------------------------------

    def welcomed(self, peer: Peer) -> None:
        """Greet a socket as the venue does."""
        status = {"version": "2.0.10", "system": "online", "api_version": "v2"}
        peer.say(json.dumps({"channel": "status", "type": "update", "data": [status]}))
        if "auth" in peer.path:
            self.orders = peer

    def rested(self, peer: Peer, body: bytes) -> bytes:
        """Return the answer to a REST call."""
        return rest(peer.path)

    def tick(self, number: int) -> Tick:
        """Return one update of the ring."""
        return self.ring.ticks[number % len(self.ring.ticks)]

    def beat(self) -> None:
        """Send the heartbeat that is due."""
        if time.monotonic() - self.heartbeat > 1:
            self.heartbeat = time.monotonic()
            for peer in self.peers:
                if peer.is_websocket:
                    peer.say('{"channel":"heartbeat"}')

    def told(self, peer: Peer, request: dict[str, Any]) -> None:
        """Answer one message: a subscription, a ping, or something about orders."""
        method, params = request.get("method", ""), request.get("params", {})
        if "limit_price" in params:
            self.prices.append(params["limit_price"])
        if method == "ping":
            pong = {"method": "pong", "time_in": _now(), "time_out": _now()}
            peer.say(json.dumps(pong | _number(request)))
        elif method == "subscribe":
            self.changed = time.monotonic()
            self.subscribed(peer, request, params)
        else:
            self.ordered(peer, method, request, params)

    def subscribed(self, peer: Peer, request: dict[str, Any], params: dict[str, Any]) -> None:
        """Acknowledge a subscription and send its snapshot."""
        channel = params["channel"]
        for symbol in params.get("symbol", [None]):
            result: dict[str, Any] = {"channel": channel, "snapshot": True}
            if channel == "book":
                result["depth"] = 10
            if symbol:
                result["symbol"] = symbol
            if channel == "executions":
                result = {"channel": channel, "maxratecount": 180, "snap_orders": True}
            _answer(peer, "subscribe", request, result)
        if channel == "book":
            self.book = peer
            peer.say(self.ring.snapshot)
        elif channel == "instrument":
            peer.say(INSTRUMENTS)
        elif channel == "executions":
            self.orders = peer
            _push(peer, "executions", "snapshot", [])
        elif channel == "balances":
            funds = {"asset_class": "currency", "wallets": []}
            held = [{"asset": name, "balance": 1_000_000.0, **funds} for name in ("BTC", "USD")]
            _push(peer, "balances", "snapshot", held)

    # --- orders --------------------------------------------------------------------------------

    def ordered(
        self, peer: Peer, method: str, request: dict[str, Any], params: dict[str, Any]
    ) -> None:
        """Accept whatever is asked, with the events that follow from it."""
        if method == "add_order":
            self.placed += 1
            ids = {"order_id": f"OBENCH-00000-{self.placed:06d}"}
            if params.get("cl_ord_id"):
                ids["cl_ord_id"] = params["cl_ord_id"]
            self.live[ids["order_id"]] = ids
            _answer(peer, method, request, ids)
            facts = {key: params[key] for key in ("symbol", "side", "order_type", "order_qty")}
            facts |= {"limit_price": params.get("limit_price", 0.0), "time_in_force": "GTC"}
            self._report(peer, ids, "pending_new", "pending_new", cum_qty=0.0, **facts)
            self._report(peer, ids, "new", "new")
        elif method == "amend_order":
            ids = self._ids(params)
            used = {key: params[key] for key in ("order_id", "cl_ord_id") if key in params}
            _answer(peer, method, request, {"amend_id": "TBENCH-00000-000001", **used})
            facts = {key: params[key] for key in ("order_qty", "limit_price") if key in params}
            self._report(peer, ids, "amended", "new", cum_qty=0.0, amended=True, **facts)
        elif method == "cancel_all_orders_after":
            fires = datetime.now(UTC) + timedelta(seconds=int(params["timeout"]))
            result = {"currentTime": _now(), "triggerTime": fires.strftime("%Y-%m-%dT%H:%M:%SZ")}
            _answer(peer, method, request, result)
        elif method in {"cancel_order", "cancel_all", "batch_cancel"}:
            gone, self.live = list(self.live.values()), {}
            _answer(peer, method, request, {"count": len(gone)} | self._ids(params))
            for ids in gone:
                self._report(
                    peer, ids, "canceled", "canceled", cum_qty=0.0, reason="User requested"
                )

    def _ids(self, params: dict[str, Any]) -> dict[str, str]:
        wanted = params.get("order_id"), params.get("cl_ord_id")
        for ids in self.live.values():
            if ids["order_id"] == wanted[0] or (wanted[1] and ids.get("cl_ord_id") == wanted[1]):
                return ids
        return {"order_id": "OBENCH-00000-000000"}

    def _report(
        self, peer: Peer, ids: dict[str, str], kind: str, status: str, **facts: Any
    ) -> None:
        if "executions" in peer.sequences:
            event = {"exec_type": kind, "order_status": status, "timestamp": _now()}
            _push(peer, "executions", "update", [event | ids | facts])


def _number(request: dict[str, Any]) -> dict[str, Any]:
    return {"req_id": request["req_id"]} if "req_id" in request else {}


def _answer(peer: Peer, method: str, request: dict[str, Any], result: Any) -> None:
    stamps = {"success": True, "time_in": _now(), "time_out": _now()}
    text = {"method": method, **_number(request), "result": result, **stamps}
    peer.say(json.dumps(text, separators=(",", ":")))


def _push(peer: Peer, channel: str, kind: str, data: list[Any]) -> None:
    """Send a frame of a private channel, with its sequence number."""
    number = peer.sequences[channel] = peer.sequences.get(channel, 0) + 1
    frame = {"channel": channel, "type": kind, "data": data, "sequence": number}
    peer.say(json.dumps(frame, separators=(",", ":")))


def main() -> None:
    """Serve one client and print what was measured."""
    words = server.words().parse_args()
    venue = Venue()
    watch = server.open_to_clients(venue)
    if words.flood:
        data = b"".join(wire.frame(tick.text) for tick in venue.ring.ticks)
        result = venue.flood(watch, data, words.flood)
    else:
        interval_ns = words.interval_us * 1000
        result = venue.run(watch, count=words.count, warm=words.warm, interval_ns=interval_ns)
    print(json.dumps(result), flush=True)
    while words.flood:  # until the client has read it all and is stopped from outside
        venue.serve(1)


if __name__ == "__main__":
    main()
