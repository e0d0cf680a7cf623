"""An account that is worth less than its maintenance margin loses its orders, then its positions.

Positions are closed against the book, whatever it pays; nobody takes over what it does not.
"""

from crosswire.fixed import multiply, text
from crosswire.venues.hyperliquid.simulator.accounts import Account
from crosswire.venues.hyperliquid.simulator.actions import Limit, OrderWire, Terms
from crosswire.venues.hyperliquid.simulator.exchange import Exchange, Wish
from crosswire.venues.hyperliquid.simulator.margin import summary
from crosswire.venues.hyperliquid.simulator.markets import Market
from crosswire.venues.hyperliquid.simulator.text import shown, stranger

FIRST_LID = 40_000_000
FAR = 2  # how far beyond the mark a liquidation goes: to half of it, or twice


class Liquidations:
    """Looks at all accounts after each block."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._last = FIRST_LID

    def check(self, now_ns: int) -> None:
        """Liquidate whoever has too little."""
        for account in self._exchange.accounts.values():
            if account.positions and self._is_short(account):
                self._cancel_all(account, now_ns)
                if self._is_short(account):
                    self._liquidate(account, now_ns)

    def _maintenance(self, account: Account) -> int:
        exchange, total = self._exchange, 0
        for coin, position in account.positions.items():
            market = exchange.coins[coin]
            worth = multiply(exchange.mark(market), abs(position.size))
            total += worth // (2 * market.max_leverage)
        return total

    def _is_short(self, account: Account) -> bool:
        return summary(self._exchange, account).value < self._maintenance(account)

    def _cancel_all(self, account: Account, now_ns: int) -> None:
        """Cancels that the user did not ask for: they are told by both channels."""
        gone = [one for one in account.open.values() if not one.market.is_spot]
        for record in gone:
            if record.is_open:
                self._exchange.cancel(record, "marginCanceled", now_ns)
        if gone:
            rows = [{"coin": one.market.coin, "oid": one.oid} for one in gone]
            self._exchange.events.append((account.name, {"nonUserCancel": rows}))

    def _liquidate(self, account: Account, now_ns: int) -> None:
        exchange, state = self._exchange, summary(self._exchange, account)
        self._last += 1
        row = {
            "lid": self._last,
            "liquidator": stranger("liquidator"),
            "liquidated_user": account.address,
            "liquidated_ntl_pos": shown(state.notional),
            "liquidated_account_value": shown(state.value),
        }
        exchange.events.append((account.name, {"liquidation": row}))
        for coin in list(account.positions):
            self._close(account, exchange.coins[coin], now_ns)

    def _close(self, account: Account, market: Market, now_ns: int) -> None:
        size, mark = account.size(market.coin), self._exchange.mark(market)
        price = max(mark // FAR, 1) if size > 0 else mark * FAR
        wire = OrderWire(
            a=market.asset,
            b=size < 0,
            p=text(price),
            s=text(abs(size)),
            r=True,
            t=Terms(limit=Limit("LiquidationMarket")),
        )
        self._exchange.next_hash()
        wish = Wish(market=market, wire=wire, quantity=abs(size), is_liquidation=True)
        self._exchange.create(account, wish, now_ns)
        self._exchange.settle(now_ns)
