"""hyperliquid-python-sdk's `Info`, unchanged: every question by REST, every channel it hears."""

import time
from collections.abc import Callable
from typing import Any

from hyperliquid.info import Info
from hyperliquid.utils.types import Cloid

from tests.sdk.hyperliquid_desk import (
    COIN,
    DEXS,
    GTC,
    OTHER,
    SPOT,
    SUB,
    Desk,
    Json,
    Trigger,
    entries,
    filled,
    resting,
)
from tests.sdk.report import Place, Report, place

WAIT_S = 15.0
LOOK_S = 0.02
CLOID = Cloid.from_int(0xBEEF << 64)


class Questions(Desk):
    """The REST side. An order rests, one was filled, one was cancelled."""

    def __init__(self, at: Place) -> None:
        super().__init__(at)
        self.started_ms = self.now_ms()
        exchange = self.exchange
        self.resting = resting(exchange.order(COIN, True, 0.011, self.low(), GTC, cloid=CLOID))
        self.filled = filled(exchange.market_open(COIN, True, 0.012))
        self.canceled = resting(exchange.order(COIN, True, 0.013, self.low(), GTC))
        assert entries(exchange.cancel(COIN, self.canceled)) == ["success"]
        stop = Trigger(float(round(self.mid() * 0.7)), "sl")
        self.stop = resting(
            exchange.order(COIN, False, 0.012, stop.price, stop.order_type(), reduce_only=True)
        )

    def all_mids(self) -> object:
        found = self.info.all_mids()
        assert {COIN, "ETH", "@107"} <= found.keys()
        assert list(self.info.all_mids("xyz")) == ["xyz:TSLA"]
        return f"{len(found)} mids, {COIN} {found[COIN]}"

    def l2_snapshot(self) -> object:
        book = self.info.l2_snapshot(COIN)
        bids, asks = book["levels"]
        assert float(bids[0]["px"]) < float(asks[0]["px"])
        assert book["coin"] == COIN
        assert self.info.l2_snapshot("HYPE/USDC")["coin"] == "@107"
        return f"{bids[0]} {asks[0]}"

    def meta_and_asset_ctxs(self) -> object:
        meta, contexts = self.info.meta_and_asset_ctxs()
        assert len(meta["universe"]) == len(contexts)
        assert float(contexts[0]["markPx"]) > 0
        return f"{meta['universe'][0]} {contexts[0]}"

    def spot_meta_and_asset_ctxs(self) -> object:
        meta, contexts = self.info.spot_meta_and_asset_ctxs()
        assert [row["name"] for row in meta["universe"]] == ["PURR/USDC", "@107"]
        assert {row["coin"] for row in contexts} >= {"PURR/USDC", "@107"}
        return contexts[0]

    def user_state(self) -> object:
        state = self.info.user_state(self.user)
        position = state["assetPositions"][0]["position"]
        assert (position["coin"], position["szi"]) == (COIN, "0.012")
        assert float(state["marginSummary"]["accountValue"]) > 99_000
        return position

    def spot_user_state(self) -> object:
        rows = {row["coin"]: row for row in self.info.spot_user_state(self.user)["balances"]}
        held = self.at.ledger()["balances"]["main"]
        assert float(rows["PURR"]["total"]) == float(held["PURR"])
        assert float(rows["USDC"]["total"]) == float(held["spot:USDC"])
        return rows["PURR"]

    def open_orders(self) -> object:
        rows = {row["oid"]: row for row in self.info.open_orders(self.user)}
        assert rows.keys() == {self.resting, self.stop}
        assert rows[self.resting]["cloid"] == CLOID.to_raw()
        self.rests(self.resting)
        return rows[self.resting]

    def frontend_open_orders(self) -> object:
        rows = {row["oid"]: row for row in self.info.frontend_open_orders(self.user)}
        assert (rows[self.resting]["tif"], rows[self.stop]["isTrigger"]) == ("Gtc", True)
        return rows[self.stop]

    def user_fills(self) -> object:
        rows = [row for row in self.info.user_fills(self.user) if row["oid"] == self.filled]
        mine = self.fills(self.filled)
        assert len(rows) == len(mine) > 0
        fees = [sum(float(row["fee"]) for row in found) for found in (rows, mine)]
        assert round(fees[0] - fees[1], 9) == 0, fees
        return rows[0]

    def user_fills_by_time(self) -> object:
        rows = self.info.user_fills_by_time(self.user, self.started_ms, self.now_ms())
        assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
        assert {row["oid"] for row in rows} == {self.filled}
        assert not self.info.user_fills_by_time(self.user, self.now_ms() + 1)
        return f"{len(rows)} fills"

    def query_order_by_oid(self) -> object:
        found = [
            self.info.query_order_by_oid(self.user, oid)["order"]["status"]
            for oid in (self.resting, self.filled, self.canceled)
        ]
        assert found == ["open", "filled", "canceled"], found
        assert self.info.query_order_by_oid(self.user, 1) == {"status": "unknownOid"}
        return found

    def query_order_by_cloid(self) -> object:
        found = self.info.query_order_by_cloid(self.user, CLOID)
        assert found["order"]["order"]["oid"] == self.resting
        stranger = self.info.query_order_by_cloid(self.addresses[OTHER], CLOID)
        assert stranger == {"status": "unknownOid"}
        return found["order"]

    def historical_orders(self) -> object:
        rows = self.info.historical_orders(self.user)
        ends = {(row["order"]["oid"], row["status"]) for row in rows}
        assert ends >= {(self.filled, "filled"), (self.canceled, "canceled")}
        return f"{len(rows)} rows"

    def user_fees(self) -> object:
        fees = self.info.user_fees(self.user)
        row = self.info.user_fills(self.user)[0]
        rate = float(row["fee"]) / (float(row["px"]) * float(row["sz"]))
        assert round(rate - float(fees["userCrossRate"]), 7) == 0, rate
        return {name: fees[name] for name in ("userCrossRate", "userAddRate")}

    def user_rate_limit(self) -> object:
        found = self.info.user_rate_limit(self.user)
        self.exchange.noop(self.now_ms() + 1)
        after = self.info.user_rate_limit(self.user)
        assert after["nRequestsUsed"] == found["nRequestsUsed"] + 1
        return after

    def user_role(self) -> object:
        self.rest_a_minute()  # 60 of 1200 a minute each
        roles = [self.info.user_role(self.addresses[number]) for number in (0, SUB)]
        assert roles == [
            {"role": "user"}, {"role": "subAccount", "data": {"master": self.user}}
        ]  # fmt: skip
        assert self.info.user_role("0x" + "00" * 20) == {"role": "missing"}
        return roles

    def candles_snapshot(self) -> object:
        now_ms = self.now_ms()
        rows = self.info.candles_snapshot(COIN, "1m", now_ms - 600_000, now_ms)
        assert all(float(row["l"]) <= float(row["c"]) <= float(row["h"]) for row in rows)
        assert (rows[-1]["s"], rows[-1]["i"]) == (COIN, "1m")
        return f"{len(rows)} candles, last {rows[-1]}"

    def wrong_address(self) -> object:
        """Whoever asks with an API wallet's address hears that there is nothing."""
        _, key = self.exchange.approve_agent("info")
        wallet = self.client(key).wallet.address
        assert self.info.open_orders(wallet) == []
        assert self.info.user_state(wallet)["assetPositions"] == []
        return "empty, and no error"


class Channels(Questions):
    """The WebSocket side."""

    def __init__(self, at: Place) -> None:
        super().__init__(at)
        self.ears: Any = None
        self.heard: dict[str, list[Any]] = {}
        self.asked: list[tuple[Json, int]] = []

    def subscribe(self, kind: str, **more: Any) -> list[Any]:
        """Subscribe; return the list in which every message will stand."""
        heard: list[Any] = []
        asked = {"type": kind, **more}
        self.asked.append((dict(asked), self.ears.subscribe(asked, heard.append)))
        self.heard[kind] = heard
        return heard

    def first(self, heard: list[Any], is_it: Callable[[Any], object], seconds: float = 0) -> Any:
        """Return the data of the first such message, letting time pass at the venue meanwhile."""
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            found = next((one["data"] for one in list(heard) if is_it(one["data"])), None)
            if found is not None:
                return found
            if seconds:
                self.at.switch(f"skip/{seconds}")
            time.sleep(LOOK_S)
        raise AssertionError(f"not heard within {WAIT_S} s, among {len(heard)} messages")

    def connect(self) -> object:
        """Its socket is open before its first question is answered, and closed if idle too long."""
        self.rest_a_minute()
        self.ears = Info(self.at.http, skip_ws=False, perp_dexs=DEXS)
        return self.ears.ws_manager.ws.url

    def l2_book(self) -> object:
        heard = self.subscribe("l2Book", coin=COIN)
        first = self.first(heard, lambda data: data["coin"] == COIN)
        later = self.first(heard, lambda data: data["time"] > first["time"], 2)
        assert later["time"] - first["time"] >= 4_500, "whole books come every 5 s"
        return f"{len(first['levels'][0])} levels at {first['time']}, next at {later['time']}"

    def bbo(self) -> object:
        heard = self.subscribe("bbo", coin=COIN)
        self.first(heard, lambda data: data["time"] and len(heard) > 3, 1)
        bid, ask = heard[-1]["data"]["bbo"]
        assert float(bid["px"]) < float(ask["px"])
        return heard[-1]["data"]

    def trades(self) -> object:
        heard = self.subscribe("trades", coin=COIN)
        oid = filled(self.exchange.market_open(COIN, True, 0.0141))
        sizes = [float(row["quantity"]) for row in self.fills(oid)]
        found = self.first(heard, lambda data: any(self.user in one["users"] for one in data))
        mine = [one for one in found if self.user in one["users"]]
        assert {one["side"] for one in mine} == {"B"}
        assert [float(one["sz"]) for one in mine[-len(sizes) :]] == sizes
        return mine[-1]

    def all_mids_stream(self) -> object:
        data = self.first(self.subscribe("allMids"), lambda data: data["mids"])
        assert float(data["mids"][COIN]) > 0
        return f"{len(data['mids'])} mids"

    def order_updates(self) -> object:
        heard = self.subscribe("orderUpdates", user=self.user)
        oid = resting(self.exchange.order(COIN, True, 0.0142, self.low(), GTC))
        opened = self.first(heard, lambda data: _update(data, oid, "open"))
        assert entries(self.exchange.cancel(COIN, oid)) == ["success"]
        self.first(heard, lambda data: _update(data, oid, "canceled"))
        oid = filled(self.exchange.market_open(COIN, True, 0.0143))
        rows = self.first(heard, lambda data: _update(data, oid, "filled"))
        told = [row["status"] for row in rows if row["order"]["oid"] == oid]
        assert told == ["open", "filled"], told
        return opened

    def user_fills_stream(self) -> object:
        heard = self.subscribe("userFills", user=self.user)
        snapshot = self.first(heard, lambda data: data.get("isSnapshot"))
        assert {self.filled} <= {row["oid"] for row in snapshot["fills"]}
        oid = filled(self.exchange.market_open(COIN, True, 0.0144))
        found = self.first(heard, lambda data: data["fills"] and data["fills"][-1]["oid"] == oid)
        assert "isSnapshot" not in found
        assert len(found["fills"]) == len(self.fills(oid))
        return f"{len(snapshot['fills'])} in the snapshot, then {found['fills'][-1]}"

    def user_events(self) -> object:
        heard = self.subscribe("userEvents", user=self.user)
        oid = filled(self.exchange.market_open(COIN, True, 0.0145))
        found = self.first(heard, lambda data: any(f["oid"] == oid for f in data.get("fills", ())))
        return found["fills"][-1]

    def candle(self) -> object:
        heard = self.subscribe("candle", coin=COIN, interval="1m")
        data = self.first(heard, lambda data: data["s"] == COIN, 1)
        assert data["T"] - data["t"] == 59_999
        return data

    def active_asset_ctx(self) -> object:
        data = self.first(self.subscribe("activeAssetCtx", coin=COIN), lambda data: data["ctx"])
        assert float(data["ctx"]["oraclePx"]) > 0
        spot = self.first(self.subscribe("activeAssetCtx", coin=SPOT), lambda data: data["ctx"])
        assert "circulatingSupply" in spot["ctx"]
        return spot

    def twice(self) -> object:
        """Its messages do not name the user, so the SDK lets one be followed only."""
        try:
            self.subscribe("orderUpdates", user=self.addresses[OTHER])
        except NotImplementedError as refusal:
            return f"the SDK: {refusal}"
        raise AssertionError("was not refused")

    def unsubscribe(self) -> object:
        before = self.at.switch("listened")
        assert len(before) == len(self.asked), before
        for asked, number in self.asked:
            assert self.ears.unsubscribe(asked, number), asked
        until = time.monotonic() + WAIT_S
        while (left := self.at.switch("listened")) and time.monotonic() < until:
            time.sleep(LOOK_S)
        assert not left, left
        counts = {kind: len(heard) for kind, heard in self.heard.items()}
        filled(self.exchange.market_open(COIN, True, 0.0146))
        self.at.switch("skip/6")
        assert counts == {kind: len(heard) for kind, heard in self.heard.items()}
        return f"{', '.join(before)}: nothing more is heard"

    def disconnect_websocket(self) -> object:
        self.ears.disconnect_websocket()
        return "closed"


def _update(rows: list[Json], oid: int, status: str) -> bool:
    return any(row["order"]["oid"] == oid and row["status"] == status for row in rows)


CASES = [
    "all_mids",
    "l2_snapshot",
    "meta_and_asset_ctxs",
    "spot_meta_and_asset_ctxs",
    "user_state",
    "spot_user_state",
    "open_orders",
    "frontend_open_orders",
    "user_fills",
    "user_fills_by_time",
    "query_order_by_oid",
    "query_order_by_cloid",
    "historical_orders",
    "user_fees",
    "user_rate_limit",
    "user_role",
    "candles_snapshot",
    "wrong_address",
    "connect",
    "l2_book",
    "bbo",
    "trades",
    "all_mids_stream",
    "order_updates",
    "user_fills_stream",
    "user_events",
    "candle",
    "active_asset_ctx",
    "twice",
    "unsubscribe",
    "disconnect_websocket",
]


def main() -> None:
    """Run all cases."""
    cases, report = Channels(place()), Report("hyperliquid-python-sdk Info")
    cases.rest_a_minute()
    for name in CASES:
        report.case(name, getattr(cases, name))
    report.end()


if __name__ == "__main__":
    main()
