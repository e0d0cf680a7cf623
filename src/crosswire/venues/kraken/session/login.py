"""The private connection: its token, its two channels, and the proof that it is alive.

There is no login frame: the token goes into every request, and the first subscription shows
whether it is good. A refused token is cured by a new one; what was refused for it is sent again.
"""

from collections.abc import Mapping
from typing import Literal

from crosswire.domain import AnyEvent, LoggedIn, ReadFailed, VenueWarned
from crosswire.venues.clock import VenueClock
from crosswire.venues.interface import Output, Reconnect
from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.messages import Pong, Reply
from crosswire.venues.kraken.decode.private import Private
from crosswire.venues.kraken.encode import bodies
from crosswire.venues.kraken.encode.frames import ping
from crosswire.venues.kraken.session.outgoing import PRIVATE, Outgoing
from crosswire.venues.kraken.session.sequences import Sequence
from crosswire.venues.kraken.session.tokens import Tokens

SILENCE_NS = 5_000_000_000  # with a subscription, the venue beats about once a second
PING_NS = 5_000_000_000  # also what keeps the venue's clock fresh: doubts wait for it
_REMEMBERED = 64  # pings and subscriptions whose answers are still awaited

State = Literal["closed", "waiting", "asking", "ready"]
# A snapshot that somebody asked for: none, on its way, or to be asked for after the one under way.
Look = Literal["none", "asked", "next"]


class Login:
    """One login's private connection."""

    def __init__(
        self, private: Private, outbox: list[Output], outgoing: Outgoing, clock: VenueClock
    ) -> None:
        self.state: State = "closed"
        self.tokens = Tokens()
        self.channels = {name: Sequence(name) for name in ("executions", "balances")}
        self.reconnects = 0
        self._look: Look = "none"
        self._session = private.account
        self._private = private
        self._outbox = outbox
        self._outgoing = outgoing
        self._clock = clock
        self._mint_keys: dict[int, None] = {}  # HTTP requests for a token, oldest first
        self._number = 0
        self._asked: dict[int, tuple[str, int]] = {}  # number -> channel, when
        self._heard_ns = 0
        self._token_ns = 0
        self._pinged_ns = 0

    @property
    def is_ready(self) -> bool:
        """Whether a trading request would leave with a token that is believed good."""
        return self.state == "ready"

    @property
    def has_token(self) -> bool:
        """Whether requests carry a token that nothing has been said against."""
        return self.state in {"asking", "ready"}

    @property
    def gaps(self) -> int:
        """Frames that were missed, as often as it happened."""
        return sum(channel.gaps for channel in self.channels.values())

    def start(self, now_ns: int) -> None:
        """Ask for the first token while the connection is being made."""
        self._mint(now_ns)

    def opened(self, now_ns: int) -> None:
        """The connection stands: subscribe as soon as there is a token."""
        self.state = "waiting"
        self._heard_ns = now_ns
        self._ping(now_ns)
        if not self._subscribe(now_ns):
            self._mint(now_ns)

    def closed(self) -> None:
        """The connection is gone, and its token with it."""
        self.state = "closed"
        self._asked.clear()
        for channel in self.channels.values():
            channel.close()

    def look(self, now_ns: int) -> list[AnyEvent]:
        """Ask for all open orders anew; at most one such question is under way.

        What happens to orders between leaving and asking again shows in the snapshot: as an open
        order, among the last fills, or as an open order that is missing. No number is skipped.
        """
        if self.state != "ready":
            return [self._look_failed("not logged in by WebSocket", now_ns)]
        if self.channels["executions"].state == "asked":
            # What is on its way was drawn up before this question.
            self._look = "next"
        else:
            self._look = "asked"
            self._ask("executions", now_ns, is_again=True)
        return []

    def give_look_up(self, reason: str, now_ns: int) -> list[AnyEvent]:
        """No snapshot will come of what was asked for, as far as we can tell."""
        look, self._look = self._look, "none"
        return [self._look_failed(reason, now_ns)] if look != "none" else []

    def _look_failed(self, reason: str, now_ns: int) -> AnyEvent:
        return ReadFailed(now_ns, self._session, "snapshot", reason)

    def heard(self, now_ns: int) -> None:
        """A frame of any kind arrived."""
        self._heard_ns = now_ns

    def is_mint(self, key: int) -> bool:
        """Whether an HTTP request was the question for a token."""
        return key in self._mint_keys

    def minted(self, key: int, token: str, expires: int, now_ns: int) -> bool:
        """A token arrived; returns whether the connection took it into use."""
        del self._mint_keys[key]
        self.tokens.minted(token, expires, now_ns)
        return self._subscribe(now_ns)

    def not_minted(self, key: int, reason: str, now_ns: int) -> list[AnyEvent]:
        """No token: orders may go by REST meanwhile, and it is asked for again."""
        is_last = key == next(reversed(self._mint_keys))
        del self._mint_keys[key]
        if is_last:  # an earlier question says nothing of the one that is under way
            self.tokens.failed(now_ns)
        return [VenueWarned(now_ns, self._session, f"no WebSocket token: {reason}")]

    def distrust(self, sent_ns: int, now_ns: int) -> None:
        """The venue refused the token of a request sent then: mint one, and only one."""
        if self.state in {"ready", "asking"} and sent_ns >= self._token_ns:
            self.state = "waiting"
            self.tokens.distrust()
            self._mint(now_ns)

    def snapshot(self, channel: str, now_ns: int) -> list[AnyEvent]:
        """A channel's snapshot was read; with the one of our orders we are logged in."""
        if channel != "executions":
            return []
        if self._look == "next":
            self._ask(channel, now_ns, is_again=True)
        self._look = "asked" if self._look == "next" else "none"
        if self.state != "asking":
            return []
        self.state = "ready"
        return [LoggedIn(now_ns, self._session)]

    def count(self, channel: str, number: int, now_ns: int, *, is_snapshot: bool) -> list[AnyEvent]:
        """Check a frame's number; after a gap ask for the channel again, with its snapshot."""
        sequence = self.channels[channel]
        missing = sequence.take(number, is_snapshot=is_snapshot)
        if not missing:
            return []
        self._ask(channel, now_ns, is_again=True)
        return [VenueWarned(now_ns, self._session, f"frames are missing: {missing}")]

    def answered(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """Read the answer to a subscription."""
        channel, sent_ns = self._asked.pop(reply.req_id, (reply.channel, now_ns))
        self._clock.measure(sent_ns, now_ns, venue_ns=reply.in_ns)
        if reply.success:
            if channel == "executions" and reply.method == "subscribe":
                # The venue took this in before it drew up the snapshot that follows.
                self._private.snapshot_started_ns = sent_ns
                self._private.snapshot_venue_ns = reply.in_ns
            return []
        if errors.is_token_refusal(reply.error):
            self.distrust(sent_ns, now_ns)
            return []
        if reply.method == "unsubscribe" or reply.error.startswith("Subscription Not Found"):
            return []
        if reply.error.startswith("Already subscribed") and channel in self.channels:
            return self._stands(channel, now_ns)
        text = f"{channel or reply.method} refused: {reply.error}"
        failed = self.give_look_up(text, now_ns) if channel == "executions" else []
        return [VenueWarned(now_ns, self._session, text), *failed]

    def pong(self, pong: Pong, now_ns: int) -> None:
        """Every pong measures the venue's clock."""
        self._clock.see(pong.in_ns)
        _, sent_ns = self._asked.pop(pong.req_id, ("", 0))
        if sent_ns:
            self._clock.measure(sent_ns, now_ns, venue_ns=pong.in_ns)

    def tick(self, now_ns: int) -> None:
        """Mint, ask again, ping, and give up a dead connection."""
        if self.tokens.should_mint(now_ns, is_waiting=self.state == "waiting"):
            self._mint(now_ns)
        if self.state == "closed":
            return
        if self.state == "waiting":
            self._subscribe(now_ns)
        elif now_ns - self._heard_ns >= SILENCE_NS:
            self._reconnect("silent for 5 s")
            return
        for channel in self.channels.values():
            if channel.is_overdue(now_ns):
                self._ask(channel.channel, now_ns, is_again=True)
        if now_ns - self._pinged_ns >= PING_NS:
            self._ping(now_ns)

    def statistics(self) -> Mapping[str, int | str | bool]:
        """States and counters for people."""
        return {
            "websocket_connected": self.state != "closed",
            "websocket_authenticated": self.is_ready,
            "login": self.state,
            "token": self.tokens.state(),
            "token_mints": self.tokens.mints,
            "sequence_gaps": self.gaps,
            "reconnects_asked": self.reconnects,
        }

    def _stands(self, channel: str, now_ns: int) -> list[AnyEvent]:
        """The venue kept the subscription through a change of tokens: it needs no snapshot."""
        return self.snapshot(channel, now_ns) if self.channels[channel].stands() else []

    def _reconnect(self, reason: str) -> None:
        self.reconnects += 1
        self.closed()
        self._outbox.append(Reconnect(PRIVATE, reason))

    def _mint(self, now_ns: int) -> None:
        if self.tokens.should_mint(now_ns, is_waiting=True):
            self.tokens.minting(now_ns)
            self._mint_keys[self._outgoing.post(bodies.websockets_token(), now_ns)] = None
            if len(self._mint_keys) > _REMEMBERED:
                del self._mint_keys[next(iter(self._mint_keys))]

    def _subscribe(self, now_ns: int) -> bool:
        """Take a token into use, if the connection waits and there is one."""
        token = self.tokens.take(now_ns) if self.state == "waiting" else ""
        if not token:
            return False
        self.state = "asking"
        self._token_ns = now_ns
        self._outgoing.frames.token = token
        for channel in self.channels:
            self._ask(channel, now_ns)
        return True

    def _ask(self, channel: str, now_ns: int, *, is_again: bool = False) -> None:
        frames = self._outgoing.frames
        write = frames.subscribe_balances
        if channel == "executions":
            write = frames.subscribe_executions
            if self.channels[channel].state != "asked":
                # Until its answer tells more: no snapshot that comes now can be older than this.
                self._private.snapshot_started_ns = now_ns
                self._private.snapshot_venue_ns = 0
        if is_again:
            self._outgoing.frame(write(self._next(channel, now_ns), is_on=False))
        self._outgoing.frame(write(self._next(channel, now_ns)))
        self.channels[channel].asked(now_ns, needs_snapshot=is_again)

    def _ping(self, now_ns: int) -> None:
        self._pinged_ns = now_ns
        self._outgoing.frame(ping(self._next("", now_ns)))

    def _next(self, channel: str, now_ns: int) -> int:
        self._number += 1
        self._asked[self._number] = (channel, now_ns)
        if len(self._asked) > _REMEMBERED:
            del self._asked[next(iter(self._asked))]
        return self._number
