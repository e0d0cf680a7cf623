"""What a world does with the simulator: look into its ledger, change its faults, trade beside."""

import pytest

from crosswire.venues.interface import Credentials
from crosswire.venues.kraken import simulator
from crosswire.venues.kraken.simulator.faults import CAMPAIGN, NAMES, READINGS

START = 1_700_000_000_000_000_000
LOGIN = Credentials("key", "c2VjcmV0")
ONE = 10**10


def _simulator(pairs: tuple[str, ...] = ()) -> simulator.KrakenSimulator:
    balances = {"USD": "1000", "BTC": "1"}
    return simulator.simulator(1, START, LOGIN, balances, flow="off", pairs=pairs)


def test_only_some_pairs_are_listed() -> None:
    assert list(_simulator(pairs=("ETH/USD",)).exchange.markets) == ["ETH/USD"]
    with pytest.raises(ValueError, match="pair X/Y is not listed"):
        _simulator(pairs=("X/Y",))


def test_faults_change_in_the_middle_and_the_counts_go_on() -> None:
    made = _simulator()
    assert not made.chance.strikes("drop_ack")
    made.set_faults({"drop_ack": 1.0})
    assert made.chance.strikes("drop_ack")
    made.set_faults({})
    assert not made.chance.strikes("drop_ack")
    assert made.fault_counts == {"drop_ack": 1}
    with pytest.raises(ValueError, match="unknown fault"):
        made.set_faults({"nonsense": 1.0})


def test_the_menu_names_real_faults() -> None:
    faults, readings = _simulator().fault_menu
    assert (faults, readings) == (CAMPAIGN, READINGS)
    assert set(faults) | set(readings) <= set(NAMES)


def test_somebody_trades_in_the_account_by_other_means() -> None:
    made = _simulator()
    venue_order_id = made.trade_elsewhere("main", "BTC/USD", "buy", ONE // 100, 100 * ONE, START)
    row = made.live_ledger.orders[venue_order_id]
    assert (row.client_order_id, row.status, row.quantity) == ("", "open", ONE // 100)
