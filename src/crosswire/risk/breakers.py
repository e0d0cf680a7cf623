"""Breakers: a transport that fails time after time places nothing until it answers again.

One for each account and transport. A fault is a dropped connection, a request that found no way,
or one whose outcome stayed open; a refusal is an answer, and any answer ends the count. What the
private stream tells is none: it comes anew with each login, also where every order is lost between
two of them. So many faults in a row open the breaker for a cooldown; then one harmless look-up
decides. They govern placing alone: cancels, the dead-man switch, look-ups and logins never ask.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from crosswire.domain import (
    ECHOES,
    Accepted,
    Amended,
    AmendRejected,
    AnyCommand,
    AnyEvent,
    Approved,
    ArmDeadMan,
    BalancesRead,
    BreakerClosed,
    BreakerOpened,
    CancelAccepted,
    CancelRejected,
    DeadManArmed,
    FillsRead,
    LoggedIn,
    LookUp,
    OrdersRead,
    Rejected,
    Seen,
    Sent,
    TimedOut,
    Transport,
    TransportFailed,
    TransportProven,
)

SECOND_NS = 1_000_000_000
PROBE_NS = 10 * SECOND_NS  # a probe that came to nothing is repeated after this
TRANSPORTS: tuple[Transport, ...] = ("ws", "rest")
# What is asked by a transport to see whether it works: it changes nothing at the venue.
PROBES: dict[Transport, str] = {"ws": "snapshot", "rest": "balances"}
# How many requests are remembered, to know by which transport an answer came: a power of two.
REMEMBERED = 4_096
Verdict = BreakerOpened | BreakerClosed | None


class BreakerRules(Struct, frozen=True):
    """How an account places: by which transports at all, the best first, and with what patience."""

    transports: tuple[Transport, ...] = TRANSPORTS
    max_failures: int = 5
    cooldown_ns: int = 60 * SECOND_NS
    has_snapshot: bool = True  # the stream tells of all open orders when asked; look-ups go by REST


class Breaker:
    """One transport of one account."""

    __slots__ = (
        "account",
        "counted",
        "failed_ns",
        "faults",
        "heard_ns",
        "openings",
        "probed_ns",
        "reason",
        "transport",
        "until_ns",
    )

    def __init__(self, account: str, transport: Transport) -> None:
        self.account = account
        self.transport = transport
        self.faults = 0  # in a row
        self.until_ns = 0  # open at least until then; 0 = closed
        self.reason = ""
        self.openings = 0
        self.probed_ns = 0
        self.failed_ns = 0  # when the transport itself failed last: no answer came just then
        self.heard_ns = 0  # when the count last changed, and what it was before
        self.counted = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing may be placed by this transport."""
        return self.until_ns > 0

    def dropped(self, now_ns: int) -> None:
        """Count a failure of the transport: one, whatever is said of its requests just then."""
        before = self.counted if self.heard_ns == now_ns else self.faults
        self.failed_ns = now_ns
        self.faults = before + 1

    def doubted(self, now_ns: int) -> None:
        """Count a request whose outcome stayed open."""
        if self.failed_ns != now_ns:
            self._keep(now_ns)
            self.faults += 1

    def answered(self, now_ns: int) -> bool:
        """Count an answer; False if it was none, but the end of what the transport lost."""
        if self.failed_ns == now_ns:
            return False
        self._keep(now_ns)
        self.faults = 0
        return True

    def _keep(self, now_ns: int) -> None:
        """Keep the count as it was: a failure may yet be told of the same moment."""
        if self.heard_ns != now_ns:
            self.heard_ns, self.counted = now_ns, self.faults


def _never() -> bool:
    return False


class Routes:
    """What a link must know of an account to choose: plain flags, read at each send."""

    __slots__ = (
        "breakers",
        "falls_back",
        "is_shut",
        "rest_places",
        "rules",
        "uses_ws",
        "ws_places",
    )

    def __init__(self, account: str, rules: BreakerRules) -> None:
        self.rules = rules
        self.breakers = {each: Breaker(account, each) for each in TRANSPORTS}
        self.uses_ws = "ws" in rules.transports
        self.falls_back = rules.transports == TRANSPORTS
        self.ws_places = self.rest_places = False
        self.is_shut: Callable[[], bool] = _never  # whether a switch keeps the account from placing
        self.refresh()

    def may_place(self, transport: Transport) -> bool:
        """Whether orders may go by a transport now."""
        return self.ws_places if transport == "ws" else self.rest_places

    def may_leave(self, transport: Transport) -> bool:
        """Whether an order that was held back since it was approved may go now."""
        return self.may_place(transport) and not self.is_shut()

    def refresh(self) -> None:
        """Bring the flags up to date with the breakers."""
        allowed = self.rules.transports
        self.ws_places = "ws" in allowed and not self.breakers["ws"].is_open
        self.rest_places = "rest" in allowed and not self.breakers["rest"].is_open


class Breakers:
    """All breakers. `blocked` names the accounts that have no transport left to place by."""

    def __init__(self, rules: Mapping[str, BreakerRules]) -> None:
        self.blocked: dict[str, str] = {}
        self._routes = {name: Routes(name, each) for name, each in rules.items()}
        self._open: list[Breaker] = []
        self._sent: list[Sent | None] = [None] * REMEMBERED
        self._arming: dict[str, tuple[int, bool]] = {}
        self.hearing: dict[type, Callable[[Any], Verdict]] = {
            Sent: self._sent_by,
            TransportFailed: self._failed,
            TransportProven: self._proven,
            TimedOut: self._timed_out,
            LoggedIn: lambda event: self._stands(event.session, event.recv_ns),
            DeadManArmed: self._armed,
            OrdersRead: self._read,
            BalancesRead: self._read,
            FillsRead: self._read,
            BreakerOpened: self._opened,
            BreakerClosed: self._closed,
        }
        answers = (Accepted, Rejected, Amended, AmendRejected, CancelAccepted, CancelRejected, Seen)
        self.hearing.update(dict.fromkeys(answers, self._answered))

    def routes(self, account: str) -> Routes:
        """Return what an account's link asks: always the same object."""
        return self._routes[account]

    def hear(self, event: AnyEvent) -> Verdict:
        """Take in an event; returns what follows, to be journalled and heard in its turn."""
        hear = self.hearing.get(type(event))
        return hear(event) if hear else None

    def register(self, approved: Approved) -> None:
        """Remember the request that arms the dead-man switch: its answer does not name it."""
        command = approved.command
        if isinstance(command, ArmDeadMan):
            self._arming[command.account] = (approved.request_id, command.timeout_ns > 0)

    def probes(self, now_ns: int) -> Iterator[AnyCommand]:
        """Yield the look-ups that are to decide about breakers whose cooldown is over."""
        for breaker in self._open:
            wait_ns = min(PROBE_NS, self._routes[breaker.account].rules.cooldown_ns)
            if now_ns >= max(breaker.until_ns, breaker.probed_ns + wait_ns):
                breaker.probed_ns = now_ns
                has_snapshot = self._routes[breaker.account].rules.has_snapshot
                probes = PROBES if has_snapshot else ECHOES
                yield LookUp(breaker.account, probes[breaker.transport])

    def statistics(self, account: str) -> Mapping[str, int | str]:
        """Counters and states, for people and metrics."""
        ws, rest = (self._routes[account].breakers[each] for each in TRANSPORTS)
        return {
            "breaker_openings": ws.openings + rest.openings,
            "websocket_breaker": "open" if ws.is_open else "closed",
            "rest_breaker": "open" if rest.is_open else "closed",
            "websocket_faults_in_a_row": ws.faults,
            "rest_faults_in_a_row": rest.faults,
        }

    # --- what is heard -------------------------------------------------------------------------

    def _breaker(self, account: str, transport: Transport) -> Breaker | None:
        routes = self._routes.get(account)
        return routes.breakers[transport] if routes is not None else None

    def _of_request(self, account: str, request_id: int) -> Breaker | None:
        sent = self._sent[request_id % REMEMBERED] if request_id else None
        if sent is None or sent.request_id != request_id:
            return None
        return self._breaker(account, sent.transport)

    def _sent_by(self, event: Sent) -> None:
        self._sent[event.request_id % REMEMBERED] = event

    def _answered(self, event: Any) -> Verdict:
        breaker = self._of_request(event.account, event.request_id)
        return self._good(breaker, event.recv_ns)

    def _read(self, event: OrdersRead | BalancesRead | FillsRead) -> Verdict:
        if isinstance(event, FillsRead) or event.source == "lookup":
            if not self._has_snapshot(event.account):
                return None  # it may have come by either transport
            return self._good(self._breaker(event.account, "rest"), event.recv_ns)
        return self._stands(event.account, event.recv_ns)

    def _has_snapshot(self, account: str) -> bool:
        routes = self._routes.get(account)
        return routes is not None and routes.rules.has_snapshot

    def _proven(self, event: TransportProven) -> Verdict:
        return self._good(self._breaker(event.account, event.transport), event.recv_ns)

    def _armed(self, event: DeadManArmed) -> Verdict:
        """An arm's answer. That the switch has fired is told in the same words, unasked."""
        request_id, is_arming = self._arming.get(event.account, (0, False))
        if is_arming != (event.fires_ns > 0):
            return None
        return self._good(self._of_request(event.account, request_id), event.recv_ns)

    def _stands(self, account: str, now_ns: int) -> Verdict:
        """The private stream delivers: enough to close a breaker, not to end its count."""
        breaker = self._breaker(account, "ws")
        return self._close(breaker, now_ns) if breaker is not None else None

    def _good(self, breaker: Breaker | None, now_ns: int) -> Verdict:
        """An answer: it ends the count, and after the cooldown it closes the breaker."""
        if breaker is None or not breaker.answered(now_ns):
            return None
        return self._close(breaker, now_ns)

    def _close(self, breaker: Breaker, now_ns: int) -> Verdict:
        if not breaker.is_open or now_ns < breaker.until_ns:
            return None
        return BreakerClosed(now_ns, breaker.account, breaker.transport, "it answered")

    def _failed(self, event: TransportFailed) -> Verdict:
        breaker = self._breaker(event.account, event.transport)
        if breaker is None:
            return None
        breaker.dropped(event.recv_ns)
        return self._bad(breaker, event.reason, event.recv_ns)

    def _timed_out(self, event: TimedOut) -> Verdict:
        breaker = self._of_request(event.account, event.request_id)
        if breaker is None:
            return None
        breaker.doubted(event.recv_ns)
        return self._bad(breaker, event.reason, event.recv_ns)

    def _bad(self, breaker: Breaker, reason: str, now_ns: int) -> Verdict:
        rules = self._routes[breaker.account].rules
        if now_ns < breaker.until_ns or (
            not breaker.is_open and breaker.faults < rules.max_failures
        ):
            return None
        until_ns = now_ns + rules.cooldown_ns
        return BreakerOpened(now_ns, breaker.account, breaker.transport, until_ns, reason)

    # --- what follows --------------------------------------------------------------------------

    def _opened(self, event: BreakerOpened) -> None:
        breaker = self._breaker(event.account, event.transport)
        if breaker is None:
            return
        if not breaker.is_open:
            self._open.append(breaker)
        # A replay hears it twice: from the faults themselves, and from the journal.
        breaker.openings += breaker.until_ns != event.until_ns
        breaker.until_ns, breaker.reason = event.until_ns, event.reason
        self._refresh(event.account)

    def _closed(self, event: BreakerClosed) -> None:
        breaker = self._breaker(event.account, event.transport)
        if breaker is not None and breaker.is_open:
            self._open.remove(breaker)
            breaker.until_ns, breaker.faults, breaker.reason = 0, 0, ""
            self._refresh(event.account)

    def _refresh(self, account: str) -> None:
        routes = self._routes[account]
        routes.refresh()
        if routes.ws_places or routes.rest_places:
            self.blocked.pop(account, None)
        else:
            reasons = [routes.breakers[each].reason for each in routes.rules.transports]
            self.blocked[account] = "; ".join(reason for reason in reasons if reason)
