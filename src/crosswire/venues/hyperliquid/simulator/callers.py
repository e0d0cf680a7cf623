"""Who asked, by which way, and how an answer or a failure gets back: REST, or a post."""

from collections.abc import Callable

from msgspec import Struct

from crosswire.domain import Transport
from crosswire.venues.hyperliquid.simulator.budgets import POSTS, REST_WEIGHT, Window
from crosswire.venues.hyperliquid.simulator.hub import Hub
from crosswire.venues.hyperliquid.simulator.info import LOOKUPS, Answer, Info
from crosswire.venues.hyperliquid.simulator.text import encode
from crosswire.venues.interface import SimAnswer, SimOutput

UNFIT = "Failed to deserialize the JSON body into the target type"
UNPARSED = "Error parsing JSON into valid websocket request: "
WORDS = {
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    404: "Not Found",
}
HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
Later = Callable[[int, Callable[[int], None]], None]


class Caller(Struct, frozen=True):
    """One request's way back."""

    transport: Transport
    number: int  # the connection's, or the HTTP request's key
    id: int = 0  # of the post
    payload: bytes = b""  # the post as it came


class Callers:
    """Answers callers, and holds them to the limits of their IP."""

    def __init__(self, hub: Hub, put: Callable[[SimOutput], None], later: Later) -> None:
        self._hub = hub
        self._put = put
        self.later = later
        self._chance = hub.exchange.chance
        self.weight = Window(REST_WEIGHT)
        self._posts: set[tuple[int, int]] = set()

    # --- in ------------------------------------------------------------------------------------

    def is_let_in(self, caller: Caller, now_ns: int) -> bool:
        """Whether a request may go on; it has been answered if not."""
        if caller.transport == "rest":
            return self._is_rest_let_in(caller, now_ns)
        if len(self._posts) >= POSTS or self._chance.strikes("error_with_id"):
            self._too_many(caller, now_ns)
        elif self._chance.strikes("error_without_id"):
            self.echo(caller, now_ns)
        elif self._chance.strikes("post_429"):
            self.fail(caller, 429, now_ns)
        else:
            self._posts.add((caller.number, caller.id))
            return True
        return False

    def _is_rest_let_in(self, caller: Caller, now_ns: int) -> bool:
        if not self.weight.has_room(now_ns):
            self.fail(caller, 429, now_ns)
            return False
        for status in (429, 500, 502):
            if self._chance.strikes(f"rest_{status}"):
                self.fail(caller, status, now_ns)
                return False
        return True

    def _too_many(self, caller: Caller, now_ns: int) -> None:
        self._complain(caller, f"too many pending post requests id={caller.id}", now_ns)

    def _complain(self, caller: Caller, text: str, now_ns: int) -> None:
        held = self._hub.connections.get(caller.number)
        if held is not None:
            self._hub.complain(held, text, now_ns)

    def echo(self, caller: Caller, now_ns: int) -> None:
        """An error frame that names no request but by its text."""
        self._complain(caller, UNPARSED + caller.payload.decode(errors="replace"), now_ns)

    # --- out -----------------------------------------------------------------------------------

    def answer(self, caller: Caller, payload: object, now_ns: int) -> None:
        """The answer to an action."""
        if caller.transport == "rest":
            self._put(SimAnswer(caller.number, 200, encode(payload)))
        else:
            self._respond(caller, {"type": "action", "payload": payload}, now_ns)

    def _respond(self, caller: Caller, response: dict[str, object], now_ns: int) -> None:
        self._posts.discard((caller.number, caller.id))
        held = self._hub.connections.get(caller.number)
        if held is not None:
            data = {"id": caller.id, "response": response}
            self._hub.tell(held, {"channel": "post", "data": data}, now_ns)

    def fail(self, caller: Caller, status: int, now_ns: int) -> None:
        """An HTTP error, or a post's answer of type error."""
        if caller.transport == "ws":
            text = f"{status} {WORDS[status]}: null"
            self._respond(caller, {"type": "error", "payload": text}, now_ns)
        elif status == 502:
            self.page(caller, status, now_ns)
        else:
            self._put(SimAnswer(caller.number, status, b"null"))

    def page(self, caller: Caller, status: int, now_ns: int) -> None:
        """What stands in front of the venue answers with HTML."""
        body = HTML.format(f"{status} {WORDS[status]}").encode()
        self._put(SimAnswer(caller.number, status, body, "text/html"))

    def unfit(self, caller: Caller, now_ns: int) -> None:
        """The body fits no known type."""
        if caller.transport == "rest":
            self._put(SimAnswer(caller.number, 422, UNFIT.encode(), "text/plain"))
            return
        self._posts.discard((caller.number, caller.id))
        self.echo(caller, now_ns)

    def cut(self, caller: Caller, now_ns: int) -> None:
        """The socket of a request is cut."""
        self._posts.discard((caller.number, caller.id))
        if caller.transport == "rest":
            self._put(SimAnswer(caller.number, 0, b""))
            return
        held = self._hub.connections.get(caller.number)
        if held is not None:
            self._hub.cut(held, now_ns)

    def drop(self, caller: Caller) -> None:
        """Nobody will ever answer this one."""
        self._posts.discard((caller.number, caller.id))

    def forget(self, connection: int) -> None:
        """A connection is gone, and all that it waited for."""
        self._posts = {one for one in self._posts if one[0] != connection}

    # --- reads ---------------------------------------------------------------------------------

    def info(self, caller: Caller, body: object, info: Info, now_ns: int) -> None:
        """Answer a read."""
        kind = body.get("type") if isinstance(body, dict) else None
        if kind in LOOKUPS:
            for status in (429, 500, 502):
                if self._chance.strikes(f"lookup_{status}"):
                    self.fail(caller, status, now_ns)
                    return
        found = info.ask(body, now_ns)
        if caller.transport == "rest":
            self.weight.spend(found.weight, now_ns)
        if found.status == 422:
            self.unfit(caller, now_ns)
        elif found.status != 200:
            self.fail(caller, found.status, now_ns)
        else:
            self._read(caller, str(kind), found, now_ns)

    def _read(self, caller: Caller, kind: str, found: Answer, now_ns: int) -> None:
        if caller.transport == "rest":
            self._put(SimAnswer(caller.number, 200, encode(found.value)))
            return
        payload = {"type": kind, "data": found.value}
        self._respond(caller, {"type": "info", "payload": payload}, now_ns)
