"""A bot as one would write it with hyperliquid-python-sdk: hear the top, modify the order by REST.

Runs in an environment of its own and imports nothing of ours.
"""

import sys
import threading
from typing import Any

import eth_account
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info

COIN, KIND = "BTC", {"limit": {"tif": "Alo"}}


def main(port: int, key: str) -> None:
    """Follow the top, move the order to the best bid on every update."""
    url = f"http://127.0.0.1:{port}"
    exchange = Exchange(eth_account.Account.from_key(key), url)
    answer = exchange.order(COIN, True, 0.01, 60000.0, KIND)
    oid = answer["response"]["data"]["statuses"][0]["resting"]["oid"]

    def heard(message: Any) -> None:
        nonlocal oid
        price = float(message["data"]["bbo"][0]["px"])
        answer = exchange.modify_order(oid, COIN, True, 0.01, price, KIND)
        oid = answer["response"]["data"]["statuses"][0]["resting"]["oid"]

    Info(url).subscribe({"type": "bbo", "coin": COIN}, heard)
    threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
