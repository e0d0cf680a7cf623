"""What is traded: asked for at the start, when a coin turns up that no meta named, and hourly.

The lists of spot pairs and of dexs come first: of them every meta's asset ids and collateral
depend. A list that contradicts what stood before is not believed but asked for again.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import structs

from crosswire.domain import AnyEvent, Instrument, InstrumentListed, VenueWarned
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.decode.text import FAULTS
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.encode.info import Question
from crosswire.venues.hyperliquid.listings import VENUE, Listings, dex_of
from crosswire.venues.hyperliquid.session.numbers import Numbers, Post, by_rest_alone
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import HttpRequest, Output

NOBODY = "0x" + "0" * 40  # whose fees are a newcomer's
HOUR_NS = 3_600_000_000_000
FIRST_WAIT_NS = 1_000_000_000  # after a failure; then twice as long, each time
LONGEST_WAIT_NS = 60_000_000_000
OVERDUE_NS = 15_000_000_000
POST_OVERDUE_NS = 5_000_000_000
RUMOUR_NS = 60_000_000_000  # a coin that no meta names is asked about again after this, doubled
HEADERS = {"Content-Type": "application/json"}
_BUILDER_FEE = 2  # a builder's dex costs so many times as much
Fees = tuple[int, int]


class _Part:
    """One list: when it is to be asked for, and whether it was."""

    __slots__ = (
        "asked_ns", "dex", "due_ns", "key", "kind", "read_ns", "tries", "wait_ns",
    )  # fmt: skip

    def __init__(self, kind: str, dex: str = "") -> None:
        self.kind = kind
        self.dex = dex
        self.due_ns = 0
        self.key = 0  # of the request under way
        self.asked_ns = 0
        self.wait_ns = FIRST_WAIT_NS
        self.read_ns: int | None = None  # when what was read had been asked for
        self.tries = 0  # that failed, ever

    @property
    def is_read(self) -> bool:
        return self.read_ns is not None


class Catalogue:
    """The venue's lists as one session needs them."""

    def __init__(
        self,
        listings: Listings,
        outbox: list[Output],
        numbers: Numbers,
        weights: Weights,
        wanted: Sequence[str],
        *,
        session: str = VENUE,
        address: str = "",
        post: Post = by_rest_alone,
    ) -> None:
        """`session` names its warnings; `address` is whose fees apply, "" = nobody asks."""
        self.dexs: tuple[str, ...] = tuple({"": None, **dict.fromkeys(_dexs_of(wanted))})
        self.is_ready = False
        self._listings = listings
        self._outbox = outbox
        self._numbers = numbers
        self._weights = weights
        self._wanted = tuple(dict.fromkeys(wanted))
        self._session = session
        self._address = address
        self._post = post
        self._parts = {("spotMeta", ""): _Part("spotMeta"), ("perpDexs", ""): _Part("perpDexs")}
        if address:
            self._parts["userFees", ""] = _Part("userFees")
        self._asked: dict[int, _Part] = {}
        self._told: dict[str, Instrument] = {}
        self._missed: set[str] = set()  # wanted names that were said not to be there
        self._rumours: dict[str, tuple[int, int]] = {}  # unknown coin -> asked when, then wait
        self._perp_fees: Fees = (0, 0)
        self._spot_fees: Fees = (0, 0)

    def start(self, now_ns: int) -> list[AnyEvent]:
        """Ask for everything."""
        return self.tick(now_ns)

    def warm(self, now_ns: int) -> None:
        """Ask something light, by which the connections for orders are kept warm."""
        light = questions.question("exchangeStatus")
        self._weights.spend(light.weight, now_ns)
        key = self._numbers.next()
        request = HttpRequest(key, "POST", "/info", HEADERS, light.body, is_cheap=True)
        self._outbox.append(request)

    def owns(self, key: int) -> bool:
        """Whether an HTTP request, or below zero a post, is one of its questions."""
        return key in self._asked

    def knows(self, coin: str) -> bool:
        """Whether a coin has its final name, or the lists have been read for it in vain."""
        if coin in self._listings.by_coin or coin[:1] == "#":
            return True
        asked_ns, _ = self._rumours.get(coin, (0, 0))
        part = self._parts.get(_list_of(coin))
        read_ns = None if part is None else part.read_ns
        return coin in self._rumours and read_ns is not None and read_ns >= asked_ns

    def want_dex(self, dex: str) -> None:
        """Read the meta of one more dex: the account has something there."""
        self._parts.setdefault(("meta", dex), _Part("meta", dex))

    def refresh(self, now_ns: int) -> None:
        """Read all lists anew, though not twice within a minute."""
        for part in self._parts.values():
            if part.read_ns is not None and now_ns - part.read_ns >= LONGEST_WAIT_NS:
                part.due_ns = min(part.due_ns, now_ns)

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read one answer; returns what is listed by it."""
        part = self._asked.pop(request.key, None)
        if part is None:
            return []
        if status == 429:
            self._weights.refused(now_ns)
        return self._heard(part, info.answer(status, body, info.SHAPES[part.kind]), now_ns)

    def replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """The same by post."""
        part = self._asked.pop(-reply.request_id, None)
        if part is None:
            return []
        got: info.Answer[Any] = info.Answer(None, reply.error)
        if reply.kind == "info":
            got = info.posted(reply.payload, info.SHAPES[part.kind])
        return self._heard(part, got, now_ns)

    def _heard(self, part: _Part, got: info.Answer[Any], now_ns: int) -> list[AnyEvent]:
        part.key = 0
        if got.result is None:
            return self._again(part, got.error, now_ns)
        try:
            self._learn(part, got.result)
        except FAULTS as error:
            return self._again(part, str(error), now_ns)
        part.read_ns, part.wait_ns, part.due_ns = part.asked_ns, FIRST_WAIT_NS, now_ns + HOUR_NS
        return [*self._tell(now_ns), *self.tick(now_ns)]

    def failed(self, request: HttpRequest, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: it is asked again, later and later."""
        part = self._asked.pop(request.key, None)
        if part is None:
            return []
        part.key = 0
        return self._again(part, reason, now_ns)

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask what is due; give up what is overdue."""
        events: list[AnyEvent] = []
        for key, part in list(self._asked.items()):
            limit_ns = POST_OVERDUE_NS if key < 0 else OVERDUE_NS
            if now_ns - part.asked_ns >= limit_ns:
                del self._asked[key]
                part.key = 0
                events += self._again(part, f"no answer within {limit_ns / 1e9:g} s", now_ns)
        if self._listings.unknown and self.is_ready:
            self._follow(now_ns)
        for part in list(self._parts.values()):
            if not part.key and now_ns >= part.due_ns and self._may_ask(part):
                self._ask(part, now_ns)
        return events

    # --- asking --------------------------------------------------------------------------------

    def _may_ask(self, part: _Part) -> bool:
        return part.kind != "meta" or (part.dex in self._listings.dexs and self._has_lists)

    @property
    def _has_lists(self) -> bool:
        return self._parts["spotMeta", ""].is_read and self._parts["perpDexs", ""].is_read

    def _ask(self, part: _Part, now_ns: int) -> None:
        question = self._question(part)
        # By post it costs no weight; but who is not heard by post should try the other way.
        number = self._post(question.body, now_ns) if part.tries % 2 == 0 else 0
        if number or not self._weights.may(question.weight, now_ns):
            number = number or self._post(question.body, now_ns)
            if number:
                part.key, part.asked_ns = -number, now_ns
                self._asked[part.key] = part
            return
        self._weights.spend(question.weight, now_ns)
        part.key, part.asked_ns = self._numbers.next(), now_ns
        self._asked[part.key] = part
        self._outbox.append(HttpRequest(part.key, "POST", "/info", HEADERS, question.body))

    def _question(self, part: _Part) -> Question:
        if part.kind == "meta":
            return questions.of_dex("meta", part.dex)
        if part.kind == "userFees":
            return questions.of_user("userFees", self._address)
        return questions.question(part.kind)

    def _again(self, part: _Part, reason: str, now_ns: int) -> list[AnyEvent]:
        part.due_ns = now_ns + part.wait_ns
        part.wait_ns = min(2 * part.wait_ns, LONGEST_WAIT_NS)
        part.tries += 1
        name = f"{part.kind} of {part.dex}" if part.dex else part.kind
        return [VenueWarned(now_ns, self._session, f"no {name}: {reason}"), *self._tell(now_ns)]

    def _follow(self, now_ns: int) -> None:
        """Ask for the lists that may name coins which none has named yet."""
        for coin in list(self._listings.unknown):
            asked_ns, wait_ns = self._rumours.get(coin, (now_ns, 0))
            if coin[:1] == "#" or now_ns - asked_ns < wait_ns:
                continue
            key = _list_of(coin)
            if key[1] not in self._listings.dexs:
                key = ("perpDexs", "")
            part = self._parts.setdefault(key, _Part(*key))
            if part.key:
                continue  # what is under way may have been answered before the coin was there
            part.due_ns = min(part.due_ns, now_ns)
            self._rumours[coin] = (now_ns, min(2 * wait_ns, HOUR_NS) or RUMOUR_NS)

    # --- learning ------------------------------------------------------------------------------

    def _learn(self, part: _Part, result: Any) -> None:
        """Take in a list; `ValueError` for one that cannot be."""
        known = self._listings
        if part.kind == "perpDexs":
            _check_dexs(result, known.dexs)
            known.learn_dexs(result)
            for dex in self.dexs if self._wanted else known.dexs:
                self.want_dex(dex)
        elif part.kind == "spotMeta":
            _check_still_there(known, result.universe, "spot", "")
            known.learn_spot(result)
        elif part.kind == "meta":
            _check_still_there(known, result.universe, "perp", part.dex)
            known.learn_perps(result, part.dex)
        else:
            self._perp_fees, self._spot_fees = info.fee_rates(result)

    def _tell(self, now_ns: int) -> list[AnyEvent]:
        """Return what is new or has changed, once all the lists are there."""
        if not self._is_whole():
            return []
        self.is_ready = True
        metas = [one for one in self._parts.values() if one.kind == "meta" and one.is_read]
        self.dexs = tuple(one.dex for one in metas)
        events: list[AnyEvent] = []
        by_name = {one.instrument.name: one for one in self._listings.by_id.values()}
        for name in self._wanted or by_name:
            listing = by_name.get(name)
            if listing is None:
                if name not in self._missed:
                    self._missed.add(name)
                    text = f'{VENUE} has no instrument "{name}"'
                    events.append(VenueWarned(now_ns, self._session, text))
                continue
            instrument = self._with_fees(listing.instrument, is_builder=bool(listing.dex))
            if self._told.get(name) != instrument:
                self._told[name] = instrument
                events.append(InstrumentListed(now_ns, instrument))
        return events

    def _is_whole(self) -> bool:
        """Whether all lists are there; fees are waited for until they fail."""
        known = self._listings.dexs
        metas = [one for one in self._parts.values() if one.kind == "meta" and one.dex in known]
        fees = self._parts.get(("userFees", ""))
        return (
            self._has_lists
            and all(one.is_read for one in metas)
            and (fees is None or fees.is_read or fees.tries > 0)
        )

    def _with_fees(self, instrument: Instrument, *, is_builder: bool) -> Instrument:
        maker, taker = self._spot_fees if instrument.kind == "spot" else self._perp_fees
        factor = _BUILDER_FEE if is_builder else 1
        return structs.replace(instrument, maker_fee=factor * maker, taker_fee=factor * taker)


def _check_still_there(listings: Listings, rows: Sequence[object], kind: str, dex: str) -> None:
    """`ValueError` if a list that had something has nothing now."""
    had = any(one.instrument.kind == kind and one.dex == dex for one in listings.by_id.values())
    if had and not rows:
        raise ValueError("the list is empty now")


def _check_dexs(rows: Sequence[wire.PerpDex | None], known: Sequence[str]) -> None:
    """`ValueError` unless the first is the venue's own and those known stand where they stood."""
    if not rows or rows[0] is not None or any(row is None or not row.name for row in rows[1:]):
        raise ValueError("not a list of dexs")
    names = ["" if row is None else row.name for row in rows]
    if names[: len(known)] != list(known):
        raise ValueError("the dexs stand elsewhere now")
    if len(set(names)) < len(names):
        raise ValueError("two dexs of one name")


def _list_of(coin: str) -> tuple[str, str]:
    """Return the list that should name a coin."""
    return ("spotMeta", "") if coin[:1] == "@" or "/" in coin else ("meta", dex_of(coin))


def _dexs_of(names: Iterable[str]) -> list[str]:
    return [dex_of(name) for name in names]
