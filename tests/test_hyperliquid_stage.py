"""What the simulated Hyperliquid is played on."""

from crosswire.venues.hyperliquid.simulator import default_markets, simulator
from crosswire.venues.hyperliquid.simulator.signatures import address_of_secret
from crosswire.venues.hyperliquid.stage import STAGE, login


def test_its_login_is_an_account_and_the_key_of_its_wallet() -> None:
    found = login("main")
    assert address_of_secret(found.secret) != found.key
    made = simulator(1, 0, found, STAGE.balances)
    agent = made.gate.agents[address_of_secret(found.secret)]
    assert agent.master == found.key
    assert login("other") != found


def test_all_its_instruments_are_listed() -> None:
    listed = {market.name for market in default_markets() if not market.is_delisted}
    assert set(STAGE.instruments) <= listed
    assert set(STAGE.worlds) <= set(STAGE.instruments)
    assert any(market.dex for market in default_markets() if market.name in STAGE.worlds)
