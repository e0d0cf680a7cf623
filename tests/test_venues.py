"""The list of venues, and what each of them must bring."""

import pytest

from crosswire import venues
from crosswire.venues.interface import Credentials, FeedSettings, Session, SessionSettings, Venue

LOGIN = Credentials(key="a-key-nobody-sees", secret="c2VjcmV0LW5vYm9keS1zZWVz")


@pytest.mark.parametrize("name", venues.NAMES)
def test_a_listed_venue_brings_what_it_says(name: str) -> None:
    venue = venues.venue(name)
    assert isinstance(venue, Venue)
    assert venue.name == name
    assert venue.live.rest.startswith("https://")
    assert venue.live.ws.startswith("wss://")
    assert not venue.live.rest.endswith("/")
    feed: Session = venue.feed(
        FeedSettings(hosts=venue.live, instruments=(venue.stage.instrument,))
    )
    assert not any(endpoint.is_private for endpoint in feed.endpoints())


@pytest.mark.parametrize("name", venues.NAMES)
def test_a_session_bears_its_accounts_name_and_keeps_its_secret(name: str) -> None:
    venue = venues.venue(name)
    login = venue.stage.login("mm1")
    settings = SessionSettings(account="mm1", hosts=venue.live, credentials=login)
    session = venue.session(settings, 1)
    assert session.name == "mm1"
    assert any(endpoint.is_private for endpoint in session.endpoints())
    shown = f"{settings!r} {session!r} {dict(session.statistics())}"
    assert login.secret.removeprefix("0x") not in shown
    assert login.key not in shown


@pytest.mark.parametrize("name", venues.NAMES)
def test_a_simulators_place_is_local(name: str) -> None:
    hosts = venues.venue(name).local_hosts("127.0.0.1:1234")
    assert hosts.rest == "http://127.0.0.1:1234"
    assert hosts.ws.startswith("ws://127.0.0.1:1234")
    assert hosts.ws_private.startswith("ws://127.0.0.1:1234")


@pytest.mark.parametrize("name", venues.NAMES)
def test_a_stage_is_one_that_its_simulator_can_play(name: str) -> None:
    found = venues.venue(name)
    stage = found.stage
    assert set(stage.worlds) <= set(stage.instruments)
    assert stage.instrument in stage.instruments
    assert stage.login("a") == stage.login("a") != stage.login("b")
    login = stage.login("main")
    for pair in stage.instruments:
        simulator = found.simulator(1, 10**18, login, stage.balances, account="main", pairs=(pair,))
        starting = simulator.ledger()["starting_balances"]
        assert starting == {"main": dict(stage.balances)}
    assert stage.cash in stage.balances


def test_an_unknown_venue_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match='unknown venue "nowhere": expected one of ') as raised:
        venues.venue("nowhere")
    assert all(name in str(raised.value) for name in venues.NAMES)


def test_credentials_never_show() -> None:
    for text in (repr(LOGIN), str(LOGIN), f"{LOGIN}", f"{(LOGIN,)}"):
        assert LOGIN.secret not in text
        assert LOGIN.key not in text
