"""The venue's entry: what the engine is told of it, and where it lives."""

from crosswire.domain import Approved, LookUp
from crosswire.venues import venue
from crosswire.venues.interface import Credentials, FeedSettings, Hosts
from crosswire.venues.kraken import VENUE
from tests.kraken_dialogue import ACCOUNT, NOW, SECRET, settings


def test_the_list_of_venues_has_it() -> None:
    assert venue("kraken") is VENUE
    assert VENUE.testnet is None


def test_a_local_simulator_is_laid_out_as_the_sdks_expect() -> None:
    assert VENUE.local_hosts("127.0.0.1:8080") == Hosts(
        rest="http://127.0.0.1:8080",
        ws="ws://127.0.0.1:8080/v2",
        ws_private="ws://127.0.0.1:8080/auth/v2",
    )


def test_sessions_and_the_simulator_are_made_from_settings() -> None:
    feed = VENUE.feed(FeedSettings(VENUE.live))
    assert (feed.name, feed.rest_url) == ("kraken", "https://api.kraken.com")
    assert feed.endpoints()[0].url == "wss://ws.kraken.com/v2"
    session = VENUE.session(settings(hosts=VENUE.live), 7)
    assert session.endpoints()[0].url == "wss://ws-auth.kraken.com/v2"
    simulator = VENUE.simulator(1, NOW, Credentials("key", SECRET), {"USD": "5"})
    assert simulator.ledger()["starting_balances"] == {"main": {"USD": "5"}}


def test_nonces_begin_where_they_are_told_to() -> None:
    session = VENUE.session(settings(), NOW * 2)
    session.start(NOW)
    session.send(Approved(LookUp(ACCOUNT, "balances"), 1, NOW), "rest", NOW)
    bodies = [getattr(output, "body", b"") for output in session.outbox]
    assert b"nonce=%d" % (NOW * 2) in bodies
