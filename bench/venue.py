"""The benchmarks' server: speaks enough Kraken for every client, then ticks and takes the time.

Runs in a process of its own, for one client: prints its port, `ready`, and the result as JSON
lines. What happens between a tick and its order is in C (`spin.c`) where there is a compiler.
"""

import argparse
import json
import select
import socket
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import wire
from bench.build import Stopwatch, stopwatch
from bench.ticks import SYMBOL, Ring, ring

TOKEN = "1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw"
SETTLE_S = 0.4  # quiet for this long after the last subscription: the client is ready
ANSWER_LIMIT_NS = 100_000_000
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


class Peer:
    """One connection of the client's."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self.socket = connection
        self.received = bytearray()
        self.path = ""
        self.is_websocket = False
        self.sequences: dict[str, int] = {}

    def write(self, data: bytes) -> None:
        """Send all of it, waiting where the socket is full."""
        while data:
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                select.select([], [self.socket], [])

    def say(self, text: str | bytes) -> None:
        """Send a text frame."""
        self.write(wire.frame(text.encode() if isinstance(text, str) else text))

    def push(self, channel: str, kind: str, data: list[Any]) -> None:
        """Send a frame of a private channel, with its sequence number."""
        number = self.sequences[channel] = self.sequences.get(channel, 0) + 1
        frame = {"channel": channel, "type": kind, "data": data, "sequence": number}
        self.say(json.dumps(frame, separators=(",", ":")))


class Venue:
    """The scripted venue: answers what a client needs to get going, and its orders."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.peers: list[Peer] = []
        self.book: Peer | None = None
        self.orders: Peer | None = None
        self.ring: Ring = ring()
        self.changed = 0.0  # when a client last did something on the way to being ready
        self.heartbeat = 0.0
        self.placed = 0
        self.live: dict[str, dict[str, Any]] = {}  # orders by our id, with the client's

    # --- getting going -------------------------------------------------------------------------

    def serve(self, timeout: float) -> None:
        """Handle whatever waits on any connection."""
        sockets: list[Any] = [self.listener, *(peer.socket for peer in self.peers)]
        ready, _, _ = select.select(sockets, [], [], timeout)
        if self.listener in ready:
            self.peers.append(Peer(self.listener.accept()[0]))
        for peer in [peer for peer in self.peers if peer.socket in ready]:
            try:
                data = peer.socket.recv(1 << 16)
            except (BlockingIOError, ConnectionError):
                continue
            if not data:
                self.peers.remove(peer)
                continue
            peer.received += data
            self.handle(peer)
        self.beat()

    def beat(self) -> None:
        """Send the heartbeat that is due."""
        if time.monotonic() - self.heartbeat > 1:
            self.heartbeat = time.monotonic()
            for peer in self.peers:
                if peer.is_websocket:
                    peer.say('{"channel":"heartbeat"}')

    def handle(self, peer: Peer) -> None:
        """Take whole requests off a connection's buffer."""
        while peer.is_websocket and (message := wire.take(peer.received)):
            if message.opcode == wire.TEXT:
                self.told(peer, json.loads(message.payload))
            elif message.opcode == wire.PING:
                peer.write(wire.frame(message.payload, wire.PONG))
        while not peer.is_websocket and b"\r\n\r\n" in peer.received:
            if not self.requested(peer):
                break

    def requested(self, peer: Peer) -> bool:
        """Answer one HTTP request; False while its body is on the way."""
        head, _, tail = bytes(peer.received).partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(b":") for line in lines[1:])
        }
        size = int(fields.get(b"content-length", b"0"))
        if len(tail) < size:
            return False
        peer.path = lines[0].split(b" ")[1].decode()
        del peer.received[: len(head) + 4 + size]
        self.changed = time.monotonic()
        if key := fields.get(b"sec-websocket-key"):
            peer.is_websocket = True
            peer.write(wire.accept(key))
            status = {"version": "2.0.10", "system": "online", "api_version": "v2"}
            peer.say(json.dumps({"channel": "status", "type": "update", "data": [status]}))
            if "auth" in peer.path:
                self.orders = peer
            return True
        body = rest(peer.path)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        peer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
        return True

    def told(self, peer: Peer, request: dict[str, Any]) -> None:
        """Answer one message: a subscription, a ping, or something about orders."""
        method, params = request.get("method", ""), request.get("params", {})
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
            peer.push("executions", "snapshot", [])
        elif channel == "balances":
            funds = {"asset_class": "currency", "wallets": []}
            held = [{"asset": name, "balance": 1_000_000.0, **funds} for name in ("BTC", "USD")]
            peer.push("balances", "snapshot", held)

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
            peer.push("executions", "update", [event | ids | facts])

    # --- ticking -------------------------------------------------------------------------------

    def is_ready(self) -> bool:
        """Whether the client has all it asked for and has come to rest."""
        return (
            self.book is not None
            and self.orders is not None
            and time.monotonic() - self.changed > SETTLE_S
        )

    def run(self, watch: Stopwatch, *, count: int, warm: int, interval_ns: int) -> dict[str, Any]:
        """Tick `count` times and return how long each order took, in ns."""
        assert self.book is not None
        assert self.orders is not None
        times: list[int] = []
        missed = wrong = 0
        due = watch.now_ns()
        for number in range(warm + count):
            tick = self.ring.ticks[number % len(self.ring.ticks)]
            while self.pending(due - watch.now_ns()):
                self.serve(0)
            watch.wait_until(due)
            taken, price = self.one(watch, wire.frame(tick.text))
            # A slow client is given the time to come back to its feed: no tick is lost on it.
            due = watch.now_ns() + max(interval_ns, 3 * taken)
            if number < warm:
                continue
            if price is None:
                missed += 1
            elif price != float(tick.best_bid):
                wrong += 1
            else:
                times.append(taken)
        return {"times_ns": times, "missed": missed, "wrong": wrong}

    def pending(self, left_ns: int) -> bool:
        """Whether there is time, and reason, to look at the connections before the next tick."""
        if left_ns < 60_000:
            return False
        sockets = [peer.socket for peer in self.peers]
        return bool(select.select(sockets, [], [], max(0, (left_ns - 60_000) / 1e9))[0])

    def one(self, watch: Stopwatch, data: bytes) -> tuple[int, float | None]:
        """Send one tick; return the time to its order and the order's price."""
        assert self.book is not None
        assert self.orders is not None
        started, price, taken = 0, None, 0
        while price is None:
            sent, got, answer = watch.tick(
                self.book.socket.fileno(), data, self.orders.socket.fileno(), ANSWER_LIMIT_NS
            )
            started, data = started or sent, b""
            if not answer:
                return 0, None
            taken = got - started
            self.orders.received += answer
            while message := wire.take(self.orders.received):
                if message.opcode == wire.TEXT:
                    request = json.loads(message.payload)
                    self.told(self.orders, request)
                    price = request.get("params", {}).get("limit_price", price)
                elif message.opcode == wire.PING:
                    self.orders.write(wire.frame(message.payload, wire.PONG))
        return taken, price

    def flood(self, watch: Stopwatch, rounds: int) -> dict[str, Any]:
        """Send the whole ring again and again, as fast as the client reads."""
        assert self.book is not None
        data = b"".join(wire.frame(tick.text) for tick in self.ring.ticks)
        started = watch.now_ns()
        watch.flood(self.book.socket.fileno(), data, rounds)
        return {"sent": rounds * len(self.ring.ticks), "ns": watch.now_ns() - started}


def _number(request: dict[str, Any]) -> dict[str, Any]:
    return {"req_id": request["req_id"]} if "req_id" in request else {}


def _answer(peer: Peer, method: str, request: dict[str, Any], result: Any) -> None:
    stamps = {"success": True, "time_in": _now(), "time_out": _now()}
    text = {"method": method, **_number(request), "result": result, **stamps}
    peer.say(json.dumps(text, separators=(",", ":")))


def main() -> None:
    """Serve one client and print what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--warm", type=int, default=300)
    parser.add_argument("--interval-us", type=int, default=300)
    parser.add_argument("--flood", type=int, default=0, help="rounds of the ring, no orders")
    words = parser.parse_args()
    venue = Venue()
    print(json.dumps({"port": venue.listener.getsockname()[1]}), flush=True)
    limit = time.monotonic() + 30
    while not venue.is_ready():
        if time.monotonic() > limit:
            sys.exit("the client did not get ready within 30 s")
        venue.serve(0.05)
    print(json.dumps({"ready": True}), flush=True)
    watch = stopwatch()
    if words.flood:
        result = venue.flood(watch, words.flood)
    else:
        interval_ns = words.interval_us * 1000
        result = venue.run(watch, count=words.count, warm=words.warm, interval_ns=interval_ns)
    print(json.dumps(result), flush=True)
    while words.flood:  # until the client has read it all and is stopped from outside
        venue.serve(1)


if __name__ == "__main__":
    main()
