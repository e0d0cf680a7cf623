"""python-kraken-sdk's REST clients, unchanged."""

import base64
import uuid
from typing import Any

from kraken.spot import Market, Trade, User

from tests.sdk.report import PAIR, Place, Report, place


class Cases:
    """The cases, in the order in which one builds on the other."""

    def __init__(self, at: Place) -> None:
        self.at = at
        self.market = Market(url=at.http)
        self.trade = self._client(Trade, 0)
        self.more = self._client(Trade, 1)
        self.users = [self._client(User, number) for number in range(2, 5)]
        self.asked = 0
        self.last = self.fill = self.txid = ""
        self.bid = 0.0

    def _client(self, kind: Any, number: int) -> Any:
        key, secret = self.at.logins[number]
        return kind(key=key, secret=secret, url=self.at.http)

    @property
    def user(self) -> Any:
        """One of several keys of the account in turn, each with a REST counter of its own."""
        self.asked += 1
        return self.users[self.asked % len(self.users)]

    def low(self, below: float = 0.8) -> str:
        """Return a price far below the market, on the tick."""
        return f"{self.bid * below:.1f}"

    # --- Market ---

    def get_system_status(self) -> object:
        status = self.market.get_system_status()
        assert status["status"] == "online"
        return status

    def get_assets(self) -> object:
        assets = self.market.get_assets()
        assert assets["XXBT"]["altname"] == "XBT"
        return f"{len(assets)} assets, XXBT {assets['XXBT']}"

    def get_asset_pairs(self) -> object:
        row = self.market.get_asset_pairs(pair=PAIR)["XXBTZUSD"]
        assert row["wsname"] == "XBT/USD"
        assert row["lot_decimals"] == 8
        return f"tick {row['tick_size']}, ordermin {row['ordermin']}, costmin {row['costmin']}"

    def get_ticker(self) -> object:
        row = self.market.get_ticker(pair=PAIR)["XXBTZUSD"]
        self.bid = float(row["b"][0])
        assert self.bid < float(row["a"][0])
        return f"bid {row['b'][0]}, ask {row['a'][0]}"

    def get_order_book(self) -> object:
        book = self.market.get_order_book(pair=PAIR, count=10)["XXBTZUSD"]
        assert float(book["bids"][0][0]) < float(book["asks"][0][0])
        return f"{len(book['bids'])} bids, {len(book['asks'])} asks"

    # --- Trade ---

    def create_order(self) -> object:
        self.last = uuid.uuid4().hex
        made = self.trade.create_order(
            ordertype="limit", side="buy", pair=PAIR, volume="0.01", price=self.low(),
            oflags=["post"], extra_params={"cl_ord_id": self.last},
        )  # fmt: skip
        self.txid = made["txid"][0]
        return made

    def get_open_orders(self) -> object:
        found = self.user.get_open_orders(cl_ord_id=self.last)["open"]
        assert list(found) == [self.txid]
        assert found[self.txid]["cl_ord_id"] == self.last
        return found[self.txid]["descr"]["order"]

    def duplicate_id(self) -> object:
        return self.trade.create_order(
            ordertype="limit", side="buy", pair=PAIR, volume="0.01", price=self.low(),
            extra_params={"cl_ord_id": self.last},
        )  # fmt: skip

    def amend_order(self) -> object:
        made = self.trade.amend_order(
            txid=self.txid, order_qty="0.02", limit_price=self.low(0.81), post_only=True
        )
        row = self.user.get_open_orders()["open"][self.txid]
        assert float(row["vol"]) == 0.02
        return f"{made}, now {row['descr']['order']}"

    def get_order_amends(self) -> object:
        found = self.user.get_order_amends(order_id=self.txid)
        assert found["count"] == 2
        assert [row["amend_type"] for row in found["amends"]] == ["original", "user"]
        return found

    def edit_order(self) -> object:
        made = self.trade.create_order(
            ordertype="limit", side="buy", pair=PAIR, volume="0.01", price=self.low()
        )
        old = made["txid"][0]
        edited = self.trade.edit_order(txid=old, pair=PAIR, volume="0.015", price=self.low(0.79))
        assert edited["originaltxid"] == old
        assert edited["txid"] != old
        return edited

    def cancel_order(self) -> object:
        done = self.trade.cancel_order(txid=self.txid)
        assert done["count"] == 1
        return done

    def cancel_again(self) -> object:
        return self.trade.cancel_order(txid=self.txid)

    def create_order_market(self) -> object:
        made = self.trade.create_order(ordertype="market", side="buy", pair=PAIR, volume="0.0105")
        self.txid = made["txid"][0]
        return made

    def get_orders_info(self) -> object:
        row = self.user.get_orders_info(txid=self.txid, trades=True)[self.txid]
        assert row["status"] == "closed"
        assert float(row["vol_exec"]) == 0.0105
        self.fill = row["trades"][0]
        return f"{row['status']} {row['vol_exec']} at {row['price']}, trades {row['trades']}"

    def get_closed_orders(self) -> object:
        found = self.user.get_closed_orders()
        assert self.txid in found["closed"]
        return f"{found['count']} closed, {self.txid} {found['closed'][self.txid]['status']}"

    def get_trades_history(self) -> object:
        found = self.user.get_trades_history()
        assert found["trades"][self.fill]["ordertxid"] == self.txid
        return f"{found['count']} trades, {found['trades'][self.fill]}"

    def get_trades_info(self) -> object:
        row = self.user.get_trades_info(txid=self.fill)[self.fill]
        assert row["ordertxid"] == self.txid
        return f"{row['type']} {row['vol']} at {row['price']}, fee {row['fee']}"

    def create_order_batch(self) -> object:
        orders = [
            {"ordertype": "limit", "type": "buy", "volume": "0.01", "price": self.low(below)}
            for below in (0.7, 0.71, 0.72)
        ]
        made = self.more.create_order_batch(orders=orders, pair="BTC/USD")
        self.batch = [row["txid"] for row in made["orders"]]
        assert len(self.batch) == 3
        return self.batch

    def get_balances(self) -> object:
        held = self.user.get_balances()["ZUSD"]
        assert float(held["hold_trade"]) > 0
        return held

    def cancel_order_batch(self) -> object:
        done = self.more.cancel_order_batch(orders=self.batch)
        assert done["count"] == 3
        return done

    def cancel_all_orders_after_x(self) -> object:
        armed = self.more.cancel_all_orders_after_x(timeout=60)
        off = self.more.cancel_all_orders_after_x(timeout=0)
        assert armed["triggerTime"] > armed["currentTime"]
        return f"armed {armed}, off {off}"

    def cancel_all_orders(self) -> object:
        done = self.more.cancel_all_orders()
        assert done["count"] == 1  # the edited one
        assert not self.user.get_open_orders()["open"]
        return done

    def get_account_balance(self) -> object:
        found = self.user.get_account_balance()
        assert float(found["XXBT"]) > 0
        return found

    # --- refusals ---

    def insufficient_funds(self) -> object:
        return self._buy("100000", self.low())

    def tick_size(self) -> object:
        return self._buy("0.01", f"{self.bid * 0.8:.1f}5")

    def order_minimum(self) -> object:
        return self._buy("0.00001", self.low())

    def _buy(self, volume: str, price: str) -> object:
        return self.more.create_order(
            ordertype="limit", side="buy", pair=PAIR, volume=volume, price=price
        )

    def wrong_signature(self) -> object:
        """The SDK's own signature with one bit flipped."""
        user = self._client(User, 5)
        sign = user._get_kraken_signature

        def flipped(*words: Any, **named: Any) -> str:
            mac = bytearray(base64.b64decode(sign(*words, **named)))
            mac[20] ^= 4
            return base64.b64encode(mac).decode()

        user._get_kraken_signature = flipped
        return user.get_account_balance()

    def old_nonce(self) -> object:
        user = self._client(User, 5)
        user.get_account_balance()
        user.get_nonce = lambda: "1616492376594"
        return user.get_account_balance()

    def unknown_key(self) -> object:
        secret = self.at.logins[0][1]
        return User(key="nobody", secret=secret, url=self.at.http).get_account_balance()


GOOD = [
    "get_system_status",
    "get_assets",
    "get_asset_pairs",
    "get_ticker",
    "get_order_book",
    "create_order",
    "get_open_orders",
    "amend_order",
    "get_order_amends",
    "edit_order",
    "cancel_order",
    "create_order_market",
    "get_orders_info",
    "get_closed_orders",
    "get_trades_history",
    "get_trades_info",
    "create_order_batch",
    "get_balances",
    "cancel_order_batch",
    "cancel_all_orders_after_x",
    "cancel_all_orders",
    "get_account_balance",
]
REFUSED = {
    "duplicate_id": "EGeneral:Invalid arguments:cl_ord_id not unique",
    "cancel_again": "EOrder:Unknown order",
    "insufficient_funds": "EOrder:Insufficient funds",
    "tick_size": "EOrder:Invalid price",
    "order_minimum": "EOrder:Order minimum not met",
    "wrong_signature": "EAPI:Invalid signature",
    "old_nonce": "EAPI:Invalid nonce",
    "unknown_key": "EAPI:Invalid key",
}
AFTER = {"get_open_orders": "duplicate_id", "cancel_order": "cancel_again"}


def main() -> None:
    """Run all cases."""
    cases, report = Cases(place()), Report("python-kraken-sdk REST")
    refused = [name for name in REFUSED if name not in AFTER.values()]
    for name in GOOD:
        report.case(name, getattr(cases, name))
        if after := AFTER.get(name):
            report.refused(after, REFUSED[after], getattr(cases, after))
    for name in refused:
        report.refused(name, REFUSED[name], getattr(cases, name))
    report.end()


if __name__ == "__main__":
    main()
