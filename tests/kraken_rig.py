"""A simulated Kraken with two clients at hand, and short ways to talk to it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from crosswire.venues.interface import HttpRequest, SimAnswer, SimDrop, SimFrame
from crosswire.venues.kraken.simulator import Faults, KrakenSimulator, Market, SimAccount

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
START = 1_790_000_000_000_000_000  # 2026-09-21T14:13:20Z
SECOND = 1_000_000_000
ME, OTHER = "my-key", "other-key"
FUNDS = {"USD": "1000000", "BTC": "10", "ETH": "100"}
Frame = dict[str, Any]


def read(payload: bytes) -> Any:
    """Read JSON with every number with a fraction as the text it was printed as."""
    return json.loads(payload, parse_float=str)


def sign(path: str, nonce: str, body: bytes, secret: str = SECRET) -> str:
    """Sign a request as the venue's documentation says: written apart from the simulator."""
    inner = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    digest = hmac.new(base64.b64decode(secret), inner, hashlib.sha512).digest()
    return base64.b64encode(digest).decode()


class Rig:
    """One simulator, a moving clock, a counter of connections, nonces and requests."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        tier: str = "pro",
        instruments: tuple[Market, ...] | None = None,
        funds: Mapping[str, str] = FUNDS,
        **options: Any,
    ) -> None:
        mine = SimAccount(secret=SECRET, balances=funds, name="mine", tier=tier)
        plenty = {"USD": "100000000", "BTC": "1000", "ETH": "1000", "SOL": "1000"}
        other = SimAccount(secret=SECRET, balances=plenty, name="other")
        self.now = START
        self.sim = KrakenSimulator(
            5,
            start_ns=START,
            instruments=instruments,
            accounts=options.pop("accounts", {ME: mine, OTHER: other}),
            faults=faults,
            **options,
        )
        self.nonce = 1000
        self.connections = 0
        self.requests = 0
        self.tokens: dict[str, str] = {}

    # --- REST ----------------------------------------------------------------------------------

    def post(self, name: str, fields: Mapping[str, Any] | None = None, key: str = ME) -> Any:
        """POST a form; the decoded body, or the status where it is no 200."""
        self.nonce += 1
        body = urlencode({"nonce": self.nonce, **(fields or {})}).encode()
        return self.send_signed(name, body, str(self.nonce), key)

    def post_json(self, name: str, fields: Mapping[str, Any], key: str = ME) -> Any:
        self.nonce += 1
        body = json.dumps({"nonce": str(self.nonce), **fields}).encode()
        return self.send_signed(name, body, str(self.nonce), key, "application/json")

    def send_signed(
        self, name: str, body: bytes, nonce: str, key: str = ME, content_type: str = ""
    ) -> Any:
        path = f"/0/private/{name}"
        headers = {"API-Key": key, "API-Sign": sign(path, nonce, body)}
        if content_type:
            headers["Content-Type"] = content_type
        return self.http("POST", path, headers, body)

    def get(self, path: str) -> Any:
        return self.http("GET", path, {}, b"")

    def http(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        """Make a request; None if nobody answers, the status if it is no 200."""
        self.requests += 1
        request = HttpRequest(self.requests, method, path, headers, body)
        self.sim.asked(self.requests, request, self.now)
        for output in self.sim.outbox:
            if isinstance(output, SimAnswer) and output.key == self.requests:
                self.sim.outbox.remove(output)
                return read(output.body) if output.status == 200 else output.status
        return None

    def result(self, name: str, fields: Mapping[str, Any] | None = None, key: str = ME) -> Any:
        """POST a form that must work."""
        answer = self.post(name, fields, key)
        assert answer["error"] == [], answer
        return answer["result"]

    def error(self, name: str, fields: Mapping[str, Any] | None = None) -> str:
        """POST a form that must be refused; the one text."""
        answer = self.post(name, fields)
        assert len(answer["error"]) == 1, answer
        assert "result" not in answer
        return str(answer["error"][0])

    # --- sockets -------------------------------------------------------------------------------

    def open(self, path: str = "/v2") -> int:
        self.connections += 1
        self.sim.opened(self.connections, path, self.now)
        return self.connections

    def login(self, key: str = ME, **params: Any) -> int:
        """Open a private socket that holds `executions`; its first frames are dropped."""
        connection = self.open("/auth/v2")
        self.tokens[key] = self.result("GetWebSocketsToken", key=key)["token"]
        self.ask(connection, "subscribe", {"channel": "executions", **params}, key=key)
        return connection

    def send(self, connection: int, message: object) -> list[Frame]:
        """Send a frame; what this connection got since, decoded."""
        self.sim.outbox.clear()
        self.sim.received(connection, json.dumps(message).encode(), self.now)
        return self.frames(connection)

    def ask(
        self, connection: int, method: str, params: Mapping[str, Any], key: str = ME
    ) -> list[Frame]:
        """Send a request, with the token if there is one."""
        token = {"token": self.tokens[key]} if key in self.tokens else {}
        message = {"method": method, "params": {**params, **token}, "req_id": 7}
        return self.send(connection, message)

    def frames(self, connection: int) -> list[Frame]:
        """What a connection was sent and nobody has looked at yet."""
        mine = [
            output
            for output in self.sim.outbox
            if isinstance(output, SimFrame) and output.connection == connection
        ]
        self.sim.outbox = [output for output in self.sim.outbox if output not in mine]
        return [read(output.payload) for output in mine]

    def drops(self) -> list[tuple[int, int]]:
        """The connections cut, with their codes."""
        return [(out.connection, out.code) for out in self.sim.outbox if isinstance(out, SimDrop)]

    def wait(self, seconds: float) -> None:
        """Let time pass, ticking whenever something is due."""
        until = self.now + int(seconds * SECOND)
        while True:
            due = self.sim.next_due_ns()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            self.sim.tick(self.now)
        self.now = until
        self.sim.tick(self.now)

    # --- trading -------------------------------------------------------------------------------

    def place(self, socket: int, **order: Any) -> str:
        """Place a limit order (or what `order` makes of it) that must be accepted; its id."""
        (answer,) = answers(self.ask(socket, "add_order", limit(**order)))
        assert answer["success"] is True, answer
        return str(answer["result"]["order_id"])

    def rest(self, side: str, quantity: str, price: str, pair: str = "BTC/USD") -> str:
        """Let the other client place a limit order; its id."""
        fields = {"pair": pair, "type": side, "ordertype": "limit", "volume": quantity}
        return str(self.result("AddOrder", fields | {"price": price}, key=OTHER)["txid"][0])


def limit(side: str = "buy", quantity: float = 0.5, price: float = 60000, **more: Any) -> Frame:
    """The params of a limit order."""
    return {
        "order_type": "limit",
        "side": side,
        "order_qty": quantity,
        "symbol": "BTC/USD",
        "limit_price": price,
        **more,
    }


def items(frames: list[Frame], channel: str = "executions") -> list[Frame]:
    """All data items of a channel's frames, in order."""
    return [item for frame in frames if frame.get("channel") == channel for item in frame["data"]]


def kinds(frames: list[Frame]) -> list[str]:
    """The exec_types of what `executions` said."""
    return [item["exec_type"] for item in items(frames)]


def answers(frames: list[Frame]) -> list[Frame]:
    """The frames that answer requests."""
    return [frame for frame in frames if "method" in frame]


def error_of(frames: list[Frame]) -> str:
    """The text of the one refusal among them."""
    (answer,) = answers(frames)
    assert answer["success"] is False
    assert "result" not in answer
    return str(answer["error"])
