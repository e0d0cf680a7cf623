"""hyperliquid-python-sdk's `Exchange`, unchanged: every way to trade, by REST."""

import re
from typing import Any

import eth_account
import hyperliquid.exchange as sdk
from hyperliquid.utils.types import Cloid

from tests.sdk.hyperliquid_desk import (
    ALO,
    BUILDER_PERP,
    COIN,
    GTC,
    IOC,
    OTHER,
    SPOT,
    SUB,
    Desk,
    Json,
    Trigger,
    done,
    entries,
    error,
    filled,
    resting,
)
from tests.sdk.report import Place, Report, place

UNKNOWN_SIGNER = re.compile(r"User or API Wallet (0x[0-9a-f]{40}) does not exist\.")
NEVER_PLACED = "Order was never placed, already canceled, or filled."


def cloid(number: int) -> Any:
    """Return an id of ours."""
    return Cloid.from_int(0xC0FFEE << 64 | number)


def wanted(size: float, price: float, **more: Any) -> Json:
    """Return one order as the SDK's bulk calls take it."""
    usual = {"coin": COIN, "is_buy": True, "order_type": GTC, "reduce_only": False}
    return {**usual, "sz": size, "limit_px": price, **more}


class Orders(Desk):
    """Placing."""

    def order_gtc(self) -> object:
        price = self.low()
        oid = resting(self.exchange.order(COIN, True, 0.011, price, GTC))
        row = self.rests(oid, account="main", side="buy", quantity="0.011")
        assert float(row["price"]) == price
        return f"{oid} rests: {row['side']} {row['quantity']} at {row['price']}"

    def order_alo(self) -> object:
        oid = resting(self.exchange.order(COIN, True, 0.012, self.low(), ALO))
        self.rests(oid, quantity="0.012")
        high = float(round(self.mid() * 1.01))
        text = error(self.exchange.order(COIN, True, 0.012, high, ALO))
        assert text.startswith("Post only order would have immediately matched, bbo was "), text
        return f"{oid} rests; refused: {text}"

    def order_ioc(self) -> object:
        high = float(round(self.mid() * 1.01))
        answer = self.exchange.order(COIN, True, 0.013, high, IOC)
        oid = filled(answer)
        assert self.traded(oid) == 0.013
        assert self.order(oid)["status"] == "filled"
        text = error(self.exchange.order(COIN, True, 0.013, self.low(), IOC))
        assert text.startswith("Order could not immediately match against any resting orders.")
        return f"{entries(answer)[0]}; refused: {text}"

    def order_cloid(self) -> object:
        mine = cloid(1)
        answer = self.exchange.order(COIN, True, 0.014, self.low(), GTC, cloid=mine)
        assert entries(answer)[0]["resting"]["cloid"] == mine.to_raw()
        row = self.rests(resting(answer))
        assert row["client_order_id"] in mine.to_raw()
        return entries(answer)[0]

    def order_triggers(self) -> object:
        """A stop and a take-profit on the position that the IOC order made."""
        mid = self.mid()
        found = []
        for trigger in (Trigger(float(round(mid * 0.9)), "sl"), Trigger(round(mid * 1.1), "tp")):
            answer = self.exchange.order(
                COIN, False, 0.013, trigger.price, trigger.order_type(), reduce_only=True
            )
            found.append(resting(answer))
        rows = {row["oid"]: row for row in self.info.frontend_open_orders(self.user)}
        assert [rows[oid]["isTrigger"] for oid in found] == [True, True]
        assert [rows[oid]["orderType"] for oid in found] == ["Stop Market", "Take Profit Market"]
        assert (
            entries(self.exchange.bulk_cancel([{"coin": COIN, "oid": oid} for oid in found]))
            == ["success"] * 2
        )
        return f"{found}: {[rows[oid]['triggerCondition'] for oid in found]}"

    def order_builder(self) -> object:
        fee = {"b": self.addresses[OTHER], "f": 10}
        text = error(self.exchange.order(COIN, True, 0.015, self.low(), GTC, builder=dict(fee)))
        assert text == "Builder fee has not been approved.", text
        done(self.exchange.approve_builder_fee(fee["b"], "0.01%"))
        answer = self.exchange.order(COIN, True, 0.015, self.low(), GTC, builder=dict(fee))
        self.rests(resting(answer), quantity="0.015")
        return f"refused: {text}; approved: {entries(answer)[0]}"

    def order_reduce_only(self) -> object:
        before = float(self.position()["szi"])
        low = float(round(self.mid() * 0.99))
        oid = filled(self.exchange.order(COIN, False, 0.003, low, IOC, reduce_only=True))
        assert self.fills(oid)[0]["side"] == "sell"
        after = float(self.position()["szi"])
        assert round(before - after, 8) == 0.003
        text = error(self.exchange.order(COIN, True, 0.003, self.low(), GTC, reduce_only=True))
        assert text.startswith("Reduce only order would increase position."), text
        return f"position {before} -> {after}; refused: {text}"

    def order_spot_and_builder_perp(self) -> object:
        found = []
        for coin, size in ((SPOT, 100.0), ("HYPE/USDC", 2.0), (BUILDER_PERP, 0.1)):
            name = self.info.name_to_coin[coin]
            oid = resting(self.exchange.order(coin, True, size, self.low(0.8, name), GTC))
            found.append(self.rests(oid)["instrument"])
        assert found == ["PURR/USDC", "HYPE/USDC", "xyz:TSLA-PERP"], found
        return found

    def bulk_orders(self) -> object:
        asked = [wanted(0.0101 + number / 1e4, self.low(0.7)) for number in range(3)]
        found = [entry["resting"]["oid"] for entry in entries(self.exchange.bulk_orders(asked))]
        sizes = [self.rests(oid)["quantity"] for oid in found]
        assert sizes == ["0.0101", "0.0102", "0.0103"], sizes
        return f"{found} rest: {sizes}"

    def bulk_orders_normal_tpsl(self) -> object:
        price, mid = self.low(), self.mid()
        take, stop = Trigger(float(round(mid * 1.1)), "tp"), Trigger(float(round(mid * 0.6)), "sl")
        asked = [wanted(0.016, price)] + [
            wanted(
                0.016, one.price, is_buy=False, order_type=one.order_type(), reduce_only=True
            )
            for one in (take, stop)
        ]  # fmt: skip
        parent, *children = entries(self.exchange.bulk_orders(asked, grouping="normalTpsl"))
        assert children == ["waitingForFill"] * 2, children
        oid = parent["resting"]["oid"]
        row = next(one for one in self.info.frontend_open_orders(self.user) if one["oid"] == oid)
        assert len(row["children"]) == 2, row
        assert entries(self.exchange.cancel(COIN, oid)) == ["success"]
        assert not [one for one in self.info.open_orders(self.user) if one["sz"] == "0.016"]
        return f"{parent}, {children}; cancelled with their parent"

    def market_open(self) -> object:
        before = float(self.position()["szi"])
        oid = filled(self.exchange.market_open(COIN, True, 0.017))
        assert self.traded(oid) == 0.017
        assert round(float(self.position()["szi"]) - before, 8) == 0.017
        return f"position {before} -> {self.position()['szi']}"

    def market_close(self) -> object:
        size = float(self.position()["szi"])
        oid = filled(self.exchange.market_close(COIN))
        assert self.traded(oid) == size
        assert not self.position()
        assert self.exchange.market_close(COIN) is None
        return f"closed {size}; flat: None"


class Changes(Orders):
    """Modifying and cancelling."""

    def modify_order(self) -> object:
        old = resting(self.exchange.order(COIN, True, 0.018, self.low(), GTC))
        new = resting(self.exchange.modify_order(old, COIN, True, 0.0181, self.low(0.81), GTC))
        assert new != old
        assert self.order(old)["status"] == "canceled"
        self.rests(new, quantity="0.0181")
        return f"{old} canceled, {new} rests"

    def modify_order_by_cloid(self) -> object:
        mine = cloid(2)
        old = resting(self.exchange.order(COIN, True, 0.0182, self.low(), GTC, cloid=mine))
        price = self.low(0.81)
        answer = self.exchange.modify_order(mine, COIN, True, 0.0183, price, GTC, cloid=mine)
        assert entries(answer)[0]["resting"]["cloid"] == mine.to_raw()
        assert self.order(old)["status"] == "canceled"
        self.rests(resting(answer), quantity="0.0183")
        text = error(self.exchange.modify_order(old, COIN, True, 0.0183, price, GTC))
        assert text.startswith("Cannot modify canceled or filled order"), text
        return f"{old} -> {entries(answer)[0]}; refused: {text}"

    def bulk_modify_orders_new(self) -> object:
        low = self.low()
        asked = [wanted(0.0184, low), wanted(0.0185, low)]
        old = [entry["resting"]["oid"] for entry in entries(self.exchange.bulk_orders(asked))]
        changed = [
            {"oid": oid, "order": wanted(0.0186 + number / 1e4, low)}
            for number, oid in enumerate(old)
        ]
        answer = entries(self.exchange.bulk_modify_orders_new(changed))
        new = [entry["resting"]["oid"] for entry in answer]
        assert [self.order(oid)["status"] for oid in old] == ["canceled"] * 2
        assert [self.rests(oid)["quantity"] for oid in new] == ["0.0186", "0.0187"]
        return f"{old} canceled, {new} rest"

    def cancel(self) -> object:
        oid = resting(self.exchange.order(COIN, True, 0.0188, self.low(), GTC))
        assert entries(self.exchange.cancel(COIN, oid)) == ["success"]
        assert self.order(oid)["status"] == "canceled"
        text = error(self.exchange.cancel(COIN, oid))
        assert text.startswith(NEVER_PLACED), text
        return f"success; again: {text}"

    def cancel_by_cloid(self) -> object:
        mine = cloid(3)
        oid = resting(self.exchange.order(COIN, True, 0.0189, self.low(), GTC, cloid=mine))
        assert entries(self.exchange.cancel_by_cloid(COIN, mine)) == ["success"]
        assert self.order(oid)["status"] == "canceled"
        return "success"

    def bulk_cancel(self) -> object:
        asked = [wanted(0.019, self.low(0.7)), wanted(0.0191, self.low(0.7))]
        found = [entry["resting"]["oid"] for entry in entries(self.exchange.bulk_orders(asked))]
        gone = [{"coin": COIN, "oid": oid} for oid in [*found, 1]]
        *good, bad = entries(self.exchange.bulk_cancel(gone))
        assert good == ["success"] * 2
        assert bad["error"].startswith(NEVER_PLACED), bad
        assert [self.order(oid)["status"] for oid in found] == ["canceled"] * 2
        return f"{good}, {bad}"

    def bulk_cancel_by_cloid(self) -> object:
        mine = [cloid(4), cloid(5)]
        low = self.low(0.7)
        asked = [wanted(0.0192, low, cloid=mine[0]), wanted(0.0193, low, cloid=mine[1])]
        found = [entry["resting"]["oid"] for entry in entries(self.exchange.bulk_orders(asked))]
        gone = [{"coin": COIN, "cloid": one} for one in mine]
        assert entries(self.exchange.bulk_cancel_by_cloid(gone)) == ["success"] * 2
        assert [self.order(oid)["status"] for oid in found] == ["canceled"] * 2
        return f"{found} canceled"

    def schedule_cancel(self) -> object:
        oid = resting(self.exchange.order(COIN, True, 0.0194, self.low(), GTC))
        done(self.exchange.schedule_cancel(self.now_ms() + 8_000))
        self.at.switch("skip/5")
        self.rests(oid)
        self.at.switch("skip/5")
        found = self.info.query_order_by_oid(self.user, oid)["order"]["status"]
        assert found == "scheduledCancel", found
        assert not self.info.open_orders(self.user)
        done(self.exchange.schedule_cancel(self.now_ms() + 8_000))
        done(self.exchange.schedule_cancel(None))
        oid = resting(self.exchange.order(COIN, True, 0.0195, self.low(), GTC))
        self.at.switch("skip/10")
        self.rests(oid)
        return f"{found} when it was due; {oid} rests after it was unset"


class Account(Changes):
    """Leverage, margin, nonces, wallets, money; and what is refused."""

    def update_leverage(self) -> object:
        filled(self.exchange.market_open("ETH", True, 0.5))
        done(self.exchange.update_leverage(7, "ETH"))
        assert self.position("ETH")["leverage"] == {"type": "cross", "value": 7}
        text = error(self.exchange.update_leverage(1000, "ETH"))
        assert text == "Invalid leverage value", text
        filled(self.exchange.market_close("ETH"))
        return f"7 x; refused: {text}"

    def update_isolated_margin(self) -> object:
        done(self.exchange.update_leverage(5, "SOL", is_cross=False))
        filled(self.exchange.market_open("SOL", True, 10))
        before = self.position("SOL")
        done(self.exchange.update_isolated_margin(100.0, "SOL"))
        after = self.position("SOL")
        added = float(after["leverage"]["rawUsd"]) - float(before["leverage"]["rawUsd"])
        assert abs(added - 100) < 1, added  # the mark moves meanwhile
        filled(self.exchange.market_close("SOL"))
        return f"rawUsd {before['leverage']['rawUsd']} -> {after['leverage']['rawUsd']}"

    def noop(self) -> object:
        nonce = self.now_ms()
        done(self.exchange.noop(nonce))
        text = error(self.exchange.noop(nonce))
        assert text == f"Invalid nonce: duplicate nonce {nonce}", text
        return f"done; again: {text}"

    def set_expires_after(self) -> object:
        self.exchange.set_expires_after(self.now_ms() + 60_000)
        oid = resting(self.exchange.order(COIN, True, 0.0196, self.low(), GTC))
        self.rests(oid)
        self.exchange.set_expires_after(self.now_ms() - 60_000)
        text = error(self.exchange.order(COIN, True, 0.0197, self.low(), GTC))
        self.exchange.set_expires_after(None)
        assert text == "Action already expired", text
        assert not [row for row in self.at.ledger()["orders"] if row["quantity"] == "0.0197"]
        return f"{oid} rests; refused: {text}"

    def vault_address(self) -> object:
        exchange = self.client(0, vault_address=self.addresses[SUB])
        row = self.rests(resting(exchange.order(COIN, True, 0.0198, self.low(), GTC)))
        assert row["account"] == "sub"
        stranger = self.client(0, vault_address=self.addresses[OTHER])
        text = error(stranger.order(COIN, True, 0.0198, self.low(), GTC))
        assert text == f"Vault not registered: {self.addresses[OTHER]}", text
        return f"the order is the sub-account's; refused: {text}"

    def approve_agent(self) -> object:
        answer, key = self.exchange.approve_agent("sdk")
        done(answer)
        agent = self.client(key, account_address=self.user)
        row = self.rests(resting(agent.order(COIN, True, 0.0199, self.low(), GTC)))
        assert row["account"] == "main"
        role = self.info.user_role(agent.wallet.address)
        assert role == {"role": "agent", "data": {"user": self.user}}, role
        assert [one["name"] for one in self.info.extra_agents(self.user)] == ["sdk"]
        return f"its order is the account's; {role}"

    def approve_agent_unnamed(self) -> object:
        answer, key = self.exchange.approve_agent()
        done(answer)
        agent = self.client(key, account_address=self.user)
        row = self.rests(resting(agent.order(COIN, True, 0.02, self.low(), GTC)))
        assert row["account"] == "main"
        text = error(agent.usd_transfer(1, self.addresses[OTHER]))
        own = agent.wallet.address.lower()
        assert text == f"Must deposit before performing actions. User: {own}", text
        return f"trades; refused: {text}"

    def usd_transfer(self) -> object:
        held = self.at.ledger()["balances"]
        done(self.exchange.usd_transfer(123.5, self.addresses[OTHER]))
        after = self.at.ledger()["balances"]
        moved = [float(after[name]["USDC"]) - float(held[name]["USDC"]) for name in held]
        assert round(max(moved), 6) == 123.5, moved
        assert after["other"]["USDC"] == "1123.5", after["other"]
        return f"other has {after['other']['USDC']}"

    # --- refusals ---

    def flipped_bit(self) -> object:
        """One bit of the SDK's own signature is another: it is somebody else's, nobody's."""
        found = []
        for bit in (0, 1, 77, 200):
            text = self._signed(lambda one, bit=bit: _flip(one, bit))
            match = UNKNOWN_SIGNER.fullmatch(text)
            assert match, text
            found.append(match[1])
        assert len({*found, self.user}) == 5, found
        return f"refused: {text}"

    def flipped_recovery(self) -> object:
        text = self._signed(lambda one: {**one, "v": 55 - one["v"]})
        match = UNKNOWN_SIGNER.fullmatch(text)
        assert match, text
        assert match[1] != self.user
        return f"refused: {text}"

    def _signed(self, change: Any) -> str:
        """Place an order with the SDK's signature changed; return how it was refused."""
        sign, count = sdk.sign_l1_action, len(self.at.ledger()["orders"])
        sdk.sign_l1_action = lambda *words: change(sign(*words))
        try:
            text = error(self.exchange.order(COIN, True, 0.0201, self.low(), GTC))
        finally:
            sdk.sign_l1_action = sign
        assert len(self.at.ledger()["orders"]) == count
        return text

    def unknown_wallet(self) -> object:
        stranger = eth_account.Account.create()
        text = error(self.client(stranger.key.hex()).order(COIN, True, 0.01, self.low(), GTC))
        assert text == f"User or API Wallet {stranger.address.lower()} does not exist.", text
        return f"refused: {text}"

    def rules(self) -> object:
        """What an order may not say, in the venue's words."""
        low = self.low()
        asked = {
            "Order must have minimum value of $10.": (0.0001, low),
            "Order has invalid price.": (0.01, low + 0.25),
            "Order price cannot be more than 95% away from the reference price": (0.5, 1000.0),
            "Insufficient margin to place order.": (70.0, low),
        }
        for text, (size, price) in asked.items():
            found = error(self.exchange.order(COIN, True, size, price, GTC))
            assert found.startswith(text), f"{found} is not {text}"
        return list(asked)

    def too_precise(self) -> object:
        """The SDK itself refuses what would have to be rounded."""
        try:
            self.exchange.order(COIN, True, 0.1234567891234, self.low(), GTC)
        except ValueError as refusal:
            return f"the SDK: {refusal}"
        raise AssertionError("was not refused")


def _flip(signature: Json, bit: int) -> Json:
    """Change one bit of s: of r it would often be no point of the curve."""
    return {**signature, "s": hex(int(signature["s"], 16) ^ 1 << bit)}


CASES = [
    "order_gtc",
    "order_alo",
    "order_ioc",
    "order_cloid",
    "order_triggers",
    "order_builder",
    "order_reduce_only",
    "order_spot_and_builder_perp",
    "bulk_orders",
    "bulk_orders_normal_tpsl",
    "market_open",
    "market_close",
    "modify_order",
    "modify_order_by_cloid",
    "bulk_modify_orders_new",
    "cancel",
    "cancel_by_cloid",
    "bulk_cancel",
    "bulk_cancel_by_cloid",
    "schedule_cancel",
    "update_leverage",
    "update_isolated_margin",
    "noop",
    "set_expires_after",
    "vault_address",
    "approve_agent",
    "approve_agent_unnamed",
    "usd_transfer",
    "flipped_bit",
    "flipped_recovery",
    "unknown_wallet",
    "rules",
    "too_precise",
]


def main() -> None:
    """Run all cases."""
    at: Place = place()
    cases, report = Account(at), Report("hyperliquid-python-sdk Exchange")
    for number, name in enumerate(CASES):
        if number % 12 == 0:
            cases.rest_a_minute()
        report.case(name, getattr(cases, name))
    report.end()


if __name__ == "__main__":
    main()
