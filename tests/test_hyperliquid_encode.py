"""Commands become the actions of the vectors, byte for byte; what is off the grid is refused."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crosswire.domain import Cancel, ConditionalClose, Place, Trigger
from crosswire.fixed import SCALE, parse
from crosswire.venues.hyperliquid import canonical, signing, wire
from crosswire.venues.hyperliquid.encode import envelope, info, rules, subscriptions
from crosswire.venues.hyperliquid.encode.actions import Action, Actions, Replacement, noop, of
from crosswire.venues.hyperliquid.signing import Signer
from tests.hyperliquid_world import (
    ACCOUNT,
    KEY,
    NOW_MS,
    NOW_NS,
    OWN_ID,
    VAULT,
    listings,
    place,
    vectors,
)

VECTORS = {vector["name"]: vector for vector in vectors("signing_vectors")}
ACTIONS = Actions(listings())
ONE = "00000000000000000000000000000001"


def is_consistent(action: Action) -> None:
    """Check that what is hashed is what is sent, and canonical."""
    assert canonical.pack(canonical.read(action.text.encode())) == action.packed
    assert json.dumps(json.loads(action.text), separators=(",", ":")) == action.text
    assert json.loads(action.text)["type"] == action.kind


def is_of(action: Action, name: str) -> None:
    """Check an action against a vector's, leaving out what commands always add: our id."""
    is_consistent(action)
    assert action.packed.hex() == VECTORS[name]["msgpack_hex"]


# --- orders ------------------------------------------------------------------------------------


def test_orders_are_those_of_the_vectors() -> None:
    is_of(
        ACTIONS.order(
            place(
                "BTC-PERP",
                side="sell",
                price=parse("65432"),
                quantity=parse("0.00123"),
                time_in_force="ioc",
            )
        ),
        "order_limit_ioc_cloid_mainnet",
    )
    is_of(
        ACTIONS.order(
            place(
                "ETH-PERP",
                side="sell",
                order_type="take_profit_limit",
                price=parse("1300.1"),
                quantity=parse("0.0051"),
                reduce_only=True,
                trigger=Trigger(parse("1299.9")),
                client_order_id=ONE,
            )
        ),
        "order_trigger_tp_limit",
    )
    is_of(
        ACTIONS.order(
            place(
                "PURR/USDC",
                side="sell",
                price=parse("0.17517"),
                quantity=parse("95"),
                post_only=True,
            )
        ),
        "order_spot_purr_awkward_px",
    )


def test_a_batch_of_twenty_takes_a_longer_head() -> None:
    vector = VECTORS["order_batch20_array16"]["action"]
    places = [
        place(
            side="buy" if each["b"] else "sell",
            price=parse(each["p"]),
            quantity=parse(each["s"]),
            post_only=True,
            client_order_id=each["c"][2:],
        )
        for each in vector["orders"]
    ]
    is_of(ACTIONS.orders(places), "order_batch20_array16")


def as_vector(name: str, **more: Any) -> dict[str, Any]:
    """Return a vector's action with the id that commands always carry."""
    action: dict[str, Any] = json.loads(json.dumps(VECTORS[name]["action"]))
    for order in action["orders"]:
        order["c"] = "0x" + OWN_ID
    return {**action, **more}


@pytest.mark.parametrize("name", ["order_grouping_normalTpsl", "order_grouping_positionTpsl"])
def test_brackets_are_those_of_the_vectors(name: str) -> None:
    vector = as_vector(name)
    made = []
    for each in vector["orders"]:
        trigger = each["t"].get("trigger")
        kind = {"tp": "take_profit", "sl": "stop_loss"}[trigger["tpsl"]] if trigger else "limit"
        made.append(
            place(
                side="buy" if each["b"] else "sell",
                price=parse(each["p"]),
                quantity=parse(each["s"]),
                reduce_only=each["r"],
                order_type=kind,
                trigger=Trigger(parse(trigger["triggerPx"])) if trigger else None,
            )
        )
    if vector["grouping"] == "normalTpsl":
        action = ACTIONS.bracket(made[0], made[1:])
    else:
        action = ACTIONS.position_bracket(made)
    is_consistent(action)
    assert json.loads(action.text) == vector


def test_a_builder_and_a_priority_are_packed_in_their_places() -> None:
    loud = wire.Builder("0x" + VAULT[2:].upper(), 10)
    action = ACTIONS.orders([place()], grouping=wire.Priority(12345), builder=loud)
    is_consistent(action)
    assert json.loads(action.text)["builder"] == {"b": VAULT, "f": 10}
    assert json.loads(action.text)["grouping"] == {"p": 12345}


plain_places = st.builds(
    lambda name, side, tif, post, reduce, price, quantity, own: place(
        name,
        side=side,
        time_in_force="gtc" if post else tif,
        post_only=post,
        reduce_only=reduce and "/" not in name,
        price=price * SCALE,
        quantity=quantity * SCALE,
        client_order_id=f"{own:032x}",
    ),
    st.sampled_from(["BTC-PERP", "kPEPE-PERP", "PURR/USDC", "HYPE/USDC", "xyz:TSLA-PERP"]),
    st.sampled_from(["buy", "sell"]),
    st.sampled_from(["gtc", "ioc"]),
    st.booleans(),
    st.booleans(),
    st.integers(1, 10**7),
    st.integers(1, 10**9),
    st.integers(0, 2**128 - 1),
)


@given(st.lists(plain_places, min_size=1, max_size=40))
def test_the_spliced_orders_are_the_structs_orders(places: list[Place]) -> None:
    is_consistent(ACTIONS.order(places[0]))
    is_consistent(ACTIONS.orders(places))
    assert ACTIONS.order(places[0]).text == ACTIONS.orders(places[:1]).text
    for action in ACTIONS.batches(places):
        is_consistent(action)


def test_batches_part_what_rests_from_what_takes_and_keep_the_limit() -> None:
    places = [
        place(post_only=index % 3 == 0, client_order_id=f"{index:032x}") for index in range(500)
    ]
    made = ACTIONS.batches(places)
    assert [action.weight for action in made] == [167, 200, 133]
    assert [action.is_fast for action in made] == [True, False, False]
    named = [own for action in made for own in action.client_order_ids]
    assert sorted(named) == [each.client_order_id for each in places]
    with pytest.raises(ValueError, match="201 entries: at most 200"):
        ACTIONS.orders(places[:201])
    with pytest.raises(ValueError, match="without entries"):
        ACTIONS.orders([])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price": None}, "has a price"),
        ({"price": parse("1100.55")}, "1100.55 is no price of ETH-PERP: at most 2 decimals and 5"),
        ({"price": parse("0.001")}, "0.001 is no price"),
        ({"price": 0}, "0 is no price"),
        ({"price": -SCALE}, "-1 is no price"),
        ({"quantity": parse("0.00001")}, "0.00001 is no quantity of ETH-PERP: at most 4 decimals"),
        ({"quantity": 0}, "0 is no quantity"),
        ({"instrument": "hyperliquid:XX-PERP"}, "is not listed"),
        ({"client_order_id": "0x12"}, "is not 32 hex digits"),
        ({"client_order_id": OWN_ID.upper()}, "is not 32 hex digits"),
        ({"time_in_force": "fok"}, "there is no fok here"),
        ({"time_in_force": "gtd"}, "there is no gtd here"),
        ({"time_in_force": "ioc", "post_only": True}, "exclude each other"),
        ({"order_type": "iceberg"}, "no iceberg orders"),
        ({"order_type": "trailing_stop"}, "no trailing_stop orders"),
        ({"order_type": "market"}, "an ioc order with its worst price"),
        ({"order_type": "stop_loss"}, "its trigger disagree"),
        ({"trigger": Trigger(SCALE)}, "its trigger disagree"),
        ({"margin": True}, "margin is not known here"),
        ({"display_quantity": 1}, "no icebergs"),
        ({"cash_quantity": 1}, "in the base asset"),
        ({"price_unit": "percent"}, "prices are absolute"),
        ({"start_ns": 1}, "start at once"),
        ({"expire_ns": 1}, "no expiry"),
        ({"fee_asset": "base"}, "cannot be chosen"),
        ({"close": ConditionalClose("limit")}, "one of its own"),
        ({"validate": True}, "without placing"),
        ({"self_trade": "cancel_newest"}, "cancels the resting one"),
    ],
)
def test_what_the_venue_cannot_do_is_refused_in_one_line(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        ACTIONS.order(place(**changes))


def test_reduce_only_is_for_perps() -> None:
    with pytest.raises(ValueError, match="for perps, not spot"):
        ACTIONS.order(place("PURR/USDC", reduce_only=True, quantity=SCALE, price=SCALE))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"trigger": Trigger(SCALE, "percent")}, "an absolute price"),
        ({"trigger": Trigger(SCALE, "static", "index")}, "by the mark price"),
        ({"trigger": Trigger(parse("1100.55"))}, "1100.55 is no price"),
        ({"trigger": Trigger(SCALE), "post_only": True}, "plain gtc"),
        ({"trigger": Trigger(SCALE), "time_in_force": "ioc"}, "plain gtc"),
    ],
)
def test_a_trigger_has_rules_of_its_own(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ACTIONS.order(place(order_type="stop_loss", **changes))


def test_a_market_order_is_an_ioc_at_its_worst_price() -> None:
    action = ACTIONS.order(place(order_type="market", time_in_force="ioc"))
    is_consistent(action)
    assert json.loads(action.text)["orders"][0]["t"] == {"limit": {"tif": "Ioc"}}
    assert ACTIONS.order(place(self_trade="cancel_oldest", post_only=True)).is_fast


def test_a_bracket_holds_what_belongs_into_one() -> None:
    stop = place(order_type="stop_loss", trigger=Trigger(SCALE), reduce_only=True)
    with pytest.raises(ValueError, match="triggered and reduce-only"):
        ACTIONS.bracket(place(), [place()])
    with pytest.raises(ValueError, match="has no trigger"):
        ACTIONS.bracket(stop, [stop])


@given(st.integers(1, 10**17), st.sampled_from(["BTC-PERP", "ETH-PERP", "HYPE/USDC"]))
def test_no_price_is_ever_rounded(price: int, name: str) -> None:
    """The planted mistake: an order at another price than was asked for."""
    wanted = place(name, price=price, quantity=SCALE)
    try:
        action = ACTIONS.order(wanted)
    except ValueError:
        assert price % ACTIONS.listings.by_id[wanted.instrument].instrument.tick_at(price)
        return
    assert parse(json.loads(action.text)["orders"][0]["p"]) == price


def test_new_listings_make_new_orders() -> None:
    known = listings()
    actions = Actions(known)
    assert json.loads(actions.order(place()).text)["orders"][0]["a"] == 1
    known.learn_perps(wire.Meta([wire.PerpAsset("ETH", 4)]))
    actions.relist()
    assert json.loads(actions.order(place()).text)["orders"][0]["a"] == 0


# --- replacing, cancelling and the rest --------------------------------------------------------


def test_a_replacement_is_that_of_the_vector() -> None:
    new = place(price=parse("1105.5"), quantity=parse("0.1"), post_only=True, client_order_id=ONE)
    is_of(
        ACTIONS.replace([Replacement(new, client_order_id=ONE)]),
        "batch_modify_by_cloid_keep_cloid",
    )
    taking = ACTIONS.replace(
        [Replacement(place(time_in_force="ioc"), venue_order_id="12345")], always_place=True
    )
    is_consistent(taking)
    assert json.loads(taking.text)["modifies"][0]["oid"] == 12345
    assert json.loads(taking.text)["a"] is True
    many = [Replacement(new, venue_order_id=str(10**12 + n)) for n in range(17)]
    is_consistent(ACTIONS.replace(many))


def test_a_replacement_that_would_take_must_say_so() -> None:
    with pytest.raises(ValueError, match="is post-only"):
        ACTIONS.replace([Replacement(place(), venue_order_id="1")])
    with pytest.raises(ValueError, match="is not an order number"):
        ACTIONS.replace([Replacement(place(post_only=True), venue_order_id="x")])
    stop = place(order_type="stop_loss", trigger=Trigger(SCALE), reduce_only=True)
    with pytest.raises(ValueError, match="is post-only"):
        ACTIONS.replace([Replacement(stop, venue_order_id="1")])


@pytest.mark.parametrize("number", ["", "12345", str(10**12)])
@pytest.mark.parametrize("post_only", [True, False])
def test_one_order_moves_as_one_of_many_would(number: str, post_only: bool) -> None:
    new = place(post_only=post_only, client_order_id=ONE, replaces="f" * 32)
    new = replace(new, replaces_venue_id=number)
    one = ACTIONS.move(new)
    assert one == ACTIONS.replace([Replacement(new, number, "f" * 32)], always_place=not post_only)
    is_consistent(one)
    with pytest.raises(ValueError, match="is not an order number"):
        ACTIONS.move(replace(new, replaces_venue_id="x"))


def test_cancels_are_those_of_the_vectors() -> None:
    btc, eth = "hyperliquid:BTC-PERP", "hyperliquid:ETH-PERP"
    both = [Cancel("a", "", "313890189710", btc), Cancel("a", "", "1", eth)]
    is_of(ACTIONS.cancels(both)[0], "cancel_two_oid_above_u32_testnet")
    own = [Cancel("a", ONE, "", eth), Cancel("a", OWN_ID, "", "hyperliquid:HYPE/USDC")]
    is_of(ACTIONS.cancels(own)[0], "cancel_by_cloid_two_testnet")
    made = ACTIONS.cancels([*both, *own])
    assert [action.kind for action in made] == ["cancel", "cancelByCloid"]
    assert [action.client_order_ids for action in made] == [("", ""), (ONE, OWN_ID)]
    many = ACTIONS.cancels([Cancel("a", ONE, str(number), eth) for number in range(401)])
    assert [action.weight for action in many] == [200, 200, 1]


@pytest.mark.parametrize(
    ("cancel", "reason"),
    [
        (Cancel("a", OWN_ID), "names its instrument"),
        (Cancel("a", "zz", "", "hyperliquid:ETH-PERP"), "is not 32 hex digits"),
        (Cancel("a", "", "0x1", "hyperliquid:ETH-PERP"), "is not an order number"),
        (Cancel("a", "", "1", "hyperliquid:XX-PERP"), "is not listed"),
    ],
)
def test_a_cancel_that_names_no_order_is_refused(cancel: Cancel, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ACTIONS.cancels([cancel])


def test_the_rest_are_those_of_the_vectors() -> None:
    is_of(noop(), "noop")
    is_of(ACTIONS.schedule_cancel(0, NOW_NS), "schedule_cancel_unset_testnet")
    is_of(ACTIONS.schedule_cancel(10_000_000_000, NOW_NS + 35_000_000), "schedule_cancel_set")
    eth = "hyperliquid:ETH-PERP"
    is_of(ACTIONS.update_leverage(eth, 21, is_cross=True), "update_leverage_cross")
    is_of(ACTIONS.twap(place(quantity=5 * SCALE), 30), "twap_order")
    is_of(ACTIONS.cancel_twap(eth, 3156), "twap_cancel")
    weight = wire.ReserveRequestWeightAction(1000)
    is_of(of(weight), "reserve_request_weight")


def test_the_rest_has_its_rules() -> None:
    with pytest.raises(ValueError, match="5 s ahead"):
        ACTIONS.schedule_cancel(4_999_999_999, NOW_NS)
    with pytest.raises(ValueError, match="a leverage of 0"):
        ACTIONS.update_leverage("hyperliquid:ETH-PERP", 0, is_cross=True)
    with pytest.raises(ValueError, match="a twap of 4 minutes"):
        ACTIONS.twap(place(), 4)
    late = ACTIONS.schedule_cancel(rules.MIN_SCHEDULE_NS, 1)
    assert json.loads(late.text)["time"] == 5001  # rounded up: never sooner than asked


# --- bodies and frames -------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_a_body_holds_the_vectors_signature(name: str) -> None:
    vector = VECTORS[name]
    signer = Signer(
        vector["private_key"],
        is_mainnet=vector["is_mainnet"],
        vault=vector["vault_address"] or "",
    )
    action = of(canonical.from_mapping(vector["action"]))
    body = envelope.signed(action, signer, vector["nonce"], vector["expires_after"] or 0)
    read = msgspec.json.decode(body, type=wire.Signed)
    assert json.loads(body)["action"] == vector["action"]
    assert bytes(read.action) == action.text.encode()
    assert (read.nonce, read.expires_after) == (vector["nonce"], vector["expires_after"])
    assert (read.vault_address or "") == (vector["vault_address"] or "").lower()
    signature = read.signature
    assert signing.signature_bytes(
        signature.r, signature.s, signature.v
    ) == signing.signature_bytes(**vector["signature"])
    assert len(signature.r) == len(signature.s) == 66


def test_the_same_bytes_go_by_both_ways() -> None:
    body = envelope.signed(ACTIONS.order(place()), Signer(KEY, is_mainnet=False), NOW_MS, NOW_MS)
    frame = envelope.post_action(42, body)
    assert body in frame
    assert json.loads(frame) == {
        "method": "post",
        "id": 42,
        "request": {"type": "action", "payload": json.loads(body)},
    }


def test_questions_say_whom_and_what_and_what_they_cost() -> None:
    asked = info.of_user("frontendOpenOrders", ACCOUNT.upper().replace("0X", "0x"), dex="xyz")
    assert json.loads(asked.body) == {"type": "frontendOpenOrders", "user": ACCOUNT, "dex": "xyz"}
    assert (asked.kind, asked.weight) == ("frontendOpenOrders", 20)
    assert info.of_user("userRole", ACCOUNT).weight == 60
    assert info.l2_book("BTC").weight == info.of_dex("allMids").weight == 2
    by_own = info.order_status(ACCOUNT, client_order_id=OWN_ID)
    assert json.loads(by_own.body)["oid"] == "0x" + OWN_ID
    assert json.loads(info.order_status(ACCOUNT, venue_order_id="7").body)["oid"] == 7
    assert json.loads(info.fills_by_time(ACCOUNT, 5, 9).body) == {
        "type": "userFillsByTime", "user": ACCOUNT, "startTime": 5, "endTime": 9,
        "aggregateByTime": False,
    }  # fmt: skip
    assert b"endTime" not in info.fills_by_time(ACCOUNT, 5).body
    assert json.loads(info.candles("BTC", "1m", 1, 2).body)["req"]["interval"] == "1m"
    assert (info.row_weight("userFills", 2000), info.row_weight("candleSnapshot", 600)) == (100, 10)
    frame = json.loads(envelope.post_info(3, asked.body))
    assert frame["request"] == {"type": "info", "payload": json.loads(asked.body)}
    with pytest.raises(ValueError, match="is not an address"):
        info.of_user("openOrders", "main")
    with pytest.raises(ValueError, match="is not an order number"):
        info.order_status(ACCOUNT, venue_order_id="0x1")


def test_subscriptions_are_those_of_the_sheet() -> None:
    assert json.loads(envelope.subscribe(subscriptions.l2_book("BTC", is_fast=True))) == {
        "method": "subscribe",
        "subscription": {"type": "l2Book", "coin": "BTC", "fast": True},
    }
    stop = envelope.subscribe(subscriptions.of_coin("bbo", "BTC"), is_on=False)
    assert json.loads(stop)["method"] == "unsubscribe"
    assert json.loads(subscriptions.l2_book("BTC")) == {"type": "l2Book", "coin": "BTC"}
    assert json.loads(subscriptions.all_mids()) == {"type": "allMids"}
    assert json.loads(subscriptions.all_mids("xyz"))["dex"] == "xyz"
    assert json.loads(subscriptions.candle("BTC", "1h"))["interval"] == "1h"
    assert json.loads(subscriptions.of_user("userFills", ACCOUNT))["user"] == ACCOUNT
    with pytest.raises(ValueError, match='no candles of "7m"'):
        subscriptions.candle("BTC", "7m")
    assert json.loads(envelope.PING) == {"method": "ping"}
