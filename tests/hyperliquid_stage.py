"""A stage for tests of the simulated Hyperliquid: keys, signed bodies, frames in and out."""

import json
from collections.abc import Mapping
from typing import Any

from coincurve import PrivateKey

from crosswire.fixed import parse
from crosswire.venues.hyperliquid.simulator import actions, signatures
from crosswire.venues.hyperliquid.simulator.simulator import HyperliquidSimulator, SimAccount
from crosswire.venues.interface import HttpRequest, SimAnswer, SimDrop, SimFrame

KEY, AGENT_KEY, SUB_KEY, OTHER_KEY = ("0x" + one * 64 for one in "1234")
OWN, AGENT, SUB, OTHER = map(signatures.address_of_secret, (KEY, AGENT_KEY, SUB_KEY, OTHER_KEY))
START_MS = 1_760_000_000_000
MS = 1_000_000
CLOID = "0x" + "ab" * 16
Json = dict[str, Any]


def sign(
    action: Json,
    nonce: int,
    key: str = KEY,
    *,
    vault: str | None = None,
    expires: int | None = None,
    is_mainnet: bool = False,
) -> Json:
    """Return a signed body as a client sends it."""
    body: Json = {"action": action, "nonce": nonce, "vaultAddress": vault, "expiresAfter": expires}
    unsigned = body | {"signature": {"r": "0x1", "s": "0x1", "v": 27}}
    parsed = actions.parse(unsigned)
    assert parsed is not None
    if isinstance(parsed.action, actions.UserSigned):
        digest = signatures.user_digest(parsed.action)
    else:
        hashed = signatures.action_hash(parsed.action, nonce, parsed.vault_address, expires)
        digest = signatures.l1_digest(hashed, is_mainnet=is_mainnet)
    raw = PrivateKey(bytes.fromhex(key[2:])).sign_recoverable(digest, hasher=None)
    signature = {"r": hex(int.from_bytes(raw[:32])), "s": hex(int.from_bytes(raw[32:64]))}
    return body | {"signature": signature | {"v": raw[64] + 27}}


def order(price: str, size: str, side: str = "buy", tif: str = "Gtc", **more: Any) -> Json:
    """Return one order's wire; `asset`, `cloid` and `r` may be given."""
    wire: Json = {
        "a": more.get("asset", 0),
        "b": side == "buy",
        "p": price,
        "s": size,
        "r": more.get("r", False),
        "t": {"limit": {"tif": tif}},
    }
    return wire | ({"c": more["cloid"]} if "cloid" in more else {})


def trigger(price: str, size: str, side: str, tpsl: str, **more: Any) -> Json:
    """Return a reduce-only market trigger's wire."""
    terms = {"isMarket": more.get("is_market", True), "triggerPx": price, "tpsl": tpsl}
    wire = order(more.get("limit", price), size, side, r=more.get("r", True))
    return wire | {"t": {"trigger": terms}}


def place(*orders: Json, grouping: str = "na", **more: Any) -> Json:
    return {"type": "order", "orders": list(orders), "grouping": grouping, **more}


class Stage:
    """A simulator with two accounts, a sub-account, an API wallet, and a quiet book."""

    def __init__(self, *, block_ns: int = 0, faults: Mapping[str, float] | None = None) -> None:
        accounts = {
            "main": SimAccount(
                address=OWN,
                balances={"USDC": "100000", "spot:USDC": "10000", "PURR": "1000"},
                agents={AGENT: "bot"},
                volume="2000000",
            ),
            "sub": SimAccount(address=SUB, balances={"USDC": "5000"}, master=OWN),
            "other": SimAccount(address=OTHER, balances={"USDC": "1000000"}),
        }
        self.now_ms = START_MS
        self.sim = HyperliquidSimulator(
            1, start_ns=START_MS * MS, accounts=accounts, block_ns=block_ns
        )
        self.sim.set_faults(faults or {})
        self._nonce = START_MS
        self._keys = 0

    @property
    def now_ns(self) -> int:
        return self.now_ms * MS

    def nonce(self) -> int:
        self._nonce = max(self._nonce + 1, self.now_ms)
        return self._nonce

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping wherever the simulator has something to do."""
        end_ns = self.now_ns + int(seconds * 1000) * MS
        while (due_ns := self.sim.next_due_ns()) is not None and due_ns <= end_ns:
            self.now_ms = max(self.now_ms, -(-due_ns // MS))
            self.sim.tick(self.now_ns)
        self.now_ms = end_ns // MS
        self.sim.tick(self.now_ns)

    # --- sockets -------------------------------------------------------------------------------

    def open(self, number: int = 1) -> None:
        self.sim.opened(number, "/ws", self.now_ns)

    def send(self, frame: Json | bytes, number: int = 1) -> None:
        payload = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        self.sim.received(number, payload, self.now_ns)

    def subscribe(self, kind: str, number: int = 1, **more: Any) -> None:
        subscription = {"type": kind, **more}
        self.send({"method": "subscribe", "subscription": subscription}, number)

    def frames(self, channel: str = "", number: int = 1) -> list[Any]:
        """Take what was sent to a connection: the data of one channel, or whole frames."""
        mine = [one for one in self.sim.outbox if isinstance(one, SimFrame)]
        mine = [one for one in mine if one.connection == number]
        for one in mine:
            self.sim.outbox.remove(one)
        found = [json.loads(one.payload) for one in mine]
        return [one["data"] for one in found if one["channel"] == channel] if channel else found

    def drops(self) -> list[SimDrop]:
        return [one for one in self.sim.outbox if isinstance(one, SimDrop)]

    def post(self, request: Json, number: int = 1, ident: int = 1) -> None:
        self.send({"method": "post", "id": ident, "request": request}, number)

    def post_action(self, action: Json, *, ident: int = 1, **more: Any) -> Any:
        """Post a freshly signed action; the payload of its answer."""
        body = sign(action, self.nonce(), **more)
        self.post({"type": "action", "payload": body}, ident=ident)
        found = [one for one in self.frames("post") if one["id"] == ident]
        return found[0]["response"]["payload"] if found else None

    # --- REST ----------------------------------------------------------------------------------

    def ask(self, path: str, body: object) -> SimAnswer | None:
        """Return the answer to a request, None while there is none."""
        self._keys += 1
        self.sim.asked(self._keys, self.request(path, body), self.now_ns)
        return self.answer(self._keys)

    @staticmethod
    def request(path: str, body: object) -> HttpRequest:
        headers = {"Content-Type": "application/json"}
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        return HttpRequest(0, "POST", path, headers, payload)

    def answer(self, key: int) -> SimAnswer | None:
        for one in self.sim.outbox:
            if isinstance(one, SimAnswer) and one.key == key:
                self.sim.outbox.remove(one)
                return one
        return None

    def info(self, kind: str, **more: Any) -> Any:
        answer = self.ask("/info", {"type": kind, **more})
        assert answer is not None
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def act(self, action: Json, key: str = KEY, **more: Any) -> Any:
        """Sign an action, send it by REST, return what was answered at once."""
        return self.exchange(sign(action, self.nonce(), key, **more))

    def exchange(self, body: object) -> Any:
        answer = self.ask("/exchange", body)
        return json.loads(answer.body) if answer else None

    def statuses(self, action: Json, key: str = KEY, **more: Any) -> list[Any]:
        found: list[Any] = self.act(action, key, **more)["response"]["data"]["statuses"]
        return found

    def rest(self, price: str, size: str, side: str = "buy", **more: Any) -> int:
        """Let an order of the other account rest; its oid."""
        wire = order(price, size, side, **more)
        oid: int = self.statuses(place(wire), OTHER_KEY)[0]["resting"]["oid"]
        return oid

    def quote(self) -> None:
        """A book for BTC, of the other account: 1 at 64990 bid, 1 at 65010 offered."""
        one = parse("1")
        self.sim.trade_elsewhere("other", "BTC-PERP", "buy", one, 64990 * one, self.now_ns)
        self.sim.trade_elsewhere("other", "BTC-PERP", "sell", one, 65010 * one, self.now_ns)
