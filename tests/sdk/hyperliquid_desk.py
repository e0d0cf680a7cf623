"""What the cases of hyperliquid-python-sdk share: clients for each account, prices, answers."""

from decimal import Decimal
from typing import Any, NamedTuple

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info

from tests.sdk.report import Place

MAIN, SUB, OTHER = range(3)  # of the simulator's logins
DEXS = ["", "xyz"]
COIN, SPOT, BUILDER_PERP = "BTC", "PURR/USDC", "xyz:TSLA"
GTC, ALO, IOC = ({"limit": {"tif": tif}} for tif in ("Gtc", "Alo", "Ioc"))
Json = dict[str, Any]


class Trigger(NamedTuple):
    """When a stop or a take-profit wakes."""

    price: float
    kind: str  # tp or sl

    def order_type(self) -> Json:
        """Return it as the SDK takes it."""
        return {"trigger": {"triggerPx": self.price, "isMarket": True, "tpsl": self.kind}}


class Desk:
    """The SDK's clients, pointed at the simulator."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.addresses = [address for address, _ in at.logins]
        self.user = self.addresses[MAIN]
        self.info = Info(at.http, skip_ws=True, perp_dexs=DEXS)
        self._meta, self._spot_meta = self.info.meta(), self.info.spot_meta()
        self.exchange = self.client(MAIN, perp_dexs=DEXS)

    def client(self, login: int | str, **more: Any) -> Any:
        """Return an `Exchange` that signs with a login's key, or with a key."""
        secret = self.at.logins[login][1] if isinstance(login, int) else login
        wallet = eth_account.Account.from_key(secret)
        known = {"meta": self._meta, "spot_meta": self._spot_meta}
        return Exchange(wallet, self.at.http, **known, **more)

    def rest_a_minute(self) -> None:
        """Let a minute pass at the venue: the IP's weight is used up otherwise."""
        self.at.switch("skip/61")

    def now_ms(self) -> int:
        """Return the venue's time."""
        return int(self.info.post("/info", {"type": "exchangeStatus"})["time"])

    def mid(self, coin: str = COIN) -> float:
        """Return the middle of a book."""
        return float(self.info.all_mids(coin.partition(":")[0] if ":" in coin else "")[coin])

    def low(self, below: float = 0.8, coin: str = COIN) -> float:
        """Return a price far below the market that every rule allows."""
        price = self.mid(coin) * below
        return float(round(price)) if price > 100 else float(f"{price:.3g}")

    # --- what is known of an order -------------------------------------------------------------

    def order(self, oid: int) -> Json:
        """Return the simulator's own row of an order."""
        rows = [row for row in self.at.ledger()["orders"] if row["venue_order_id"] == str(oid)]
        assert len(rows) == 1, f"{len(rows)} orders have the number {oid}"
        found: Json = rows[0]
        return found

    def fills(self, oid: int) -> list[Json]:
        """Return the simulator's own fills of an order."""
        return [row for row in self.at.ledger()["fills"] if row["venue_order_id"] == str(oid)]

    def traded(self, oid: int) -> float:
        """Return the sum of the simulator's own fills of an order."""
        return float(sum(Decimal(row["quantity"]) for row in self.fills(oid)))

    def rests(self, oid: int, **facts: str) -> Json:
        """Return the row of an order that must be open and say this."""
        row = self.order(oid)
        assert row["status"] == "open", row
        for name, value in facts.items():
            assert row[name] == value, f"{name}: {row[name]} is not {value}"
        return row

    def position(self, coin: str = COIN, user: str = "") -> Json:
        """Return a position as the SDK reads it; empty where there is none."""
        state = self.info.user_state(user or self.user)
        found = [one["position"] for one in state["assetPositions"]]
        return next((one for one in found if one["coin"] == coin), {})


def entries(answer: Any) -> list[Any]:
    """Return what an answer says of each entry."""
    assert answer["status"] == "ok", answer
    found: list[Any] = answer["response"]["data"]["statuses"]
    return found


def resting(answer: Any) -> int:
    """Return the number of the one order that rests now."""
    (entry,) = entries(answer)
    oid: int = entry["resting"]["oid"]
    return oid


def filled(answer: Any) -> int:
    """Return the number of the one order that was filled."""
    (entry,) = entries(answer)
    oid: int = entry["filled"]["oid"]
    return oid


def error(answer: Any) -> str:
    """Return the text with which the request, or its one entry, was refused."""
    if answer["status"] == "err":
        return str(answer["response"])
    (entry,) = entries(answer)
    return str(entry["error"])


def done(answer: Any) -> str:
    """Return the type of an answer that has nothing to tell but that it was done."""
    assert answer == {"status": "ok", "response": {"type": "default"}}, answer
    return str(answer["response"]["type"])
