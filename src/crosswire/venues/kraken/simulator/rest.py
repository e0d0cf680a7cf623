"""REST: who asks, may they, and what comes back. An API error is an HTTP 200."""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from msgspec.structs import replace

from crosswire.venues.interface import HttpRequest, SimAnswer, SimOutput
from crosswire.venues.kraken.simulator.access import (
    DENIED,
    INVALID_KEY,
    RATE_LIMIT,
    Login,
    Tokens,
)
from crosswire.venues.kraken.simulator.accounts import Account
from crosswire.venues.kraken.simulator.desk import Desk, Request
from crosswire.venues.kraken.simulator.hub import Hub
from crosswire.venues.kraken.simulator.rest_public import PublicCalls
from crosswire.venues.kraken.simulator.rest_trading import METHODS, PLACING, Orders, RefusedError
from crosswire.venues.kraken.simulator.rest_views import Views
from crosswire.venues.kraken.simulator.text import decode, encode
from crosswire.venues.kraken.simulator.trading import BUSY, Later, named
from crosswire.venues.kraken.simulator.wishes import UnfitError

Fields = Mapping[str, object]
UNKNOWN_METHOD = "EGeneral:Unknown method"
BAD_REQUEST = "EAPI:Bad request"
COSTS = {"TradesHistory": 4.0, "Ledgers": 4.0}
PERMISSION = {
    "GetWebSocketsToken": "websocket",
    "Ledgers": "ledger",
    "QueryLedgers": "ledger",
} | dict.fromkeys(METHODS, "trade")
EMPTY: dict[str, object] = {
    "OpenOrders": {"open": {}},
    "ClosedOrders": {"closed": {}, "count": 0},
    "TradesHistory": {"trades": {}, "count": 0},
}
HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
PAGES = {
    429: "429 Too Many Requests",
    502: "502 Bad Gateway",
    520: "520: Web server is returning an unknown error",
}


class Rest:
    """Answers HTTP requests through the simulator's outbox."""

    def __init__(
        self,
        hub: Hub,
        desk: Desk,
        tokens: Tokens,
        logins: Mapping[str, Login],
        put: Callable[[SimOutput], None],
        later: Later,
    ) -> None:
        self._hub = hub
        self._desk = desk
        self._tokens = tokens
        self._logins = logins
        self._put = put
        self._later = later
        self._chance = hub.exchange.chance
        self._public = PublicCalls(hub)
        self._views = Views(hub.exchange, tokens)
        self._orders = Orders(hub.exchange, desk)

    # --- answers -------------------------------------------------------------------------------

    def _result(self, key: int, result: object) -> None:
        self._put(SimAnswer(key, 200, encode({"error": [], "result": result})))

    def _error(self, key: int, text: str) -> None:
        self._put(SimAnswer(key, 200, encode({"error": [text]})))

    def _page(self, key: int, status: int) -> None:
        """What stands in front of the venue answers with HTML."""
        body = HTML.format(PAGES.get(status, str(status))).encode()
        self._put(SimAnswer(key, status, body, "text/html"))

    def _cut(self, key: int) -> None:
        self._put(SimAnswer(key, 0, b""))

    # --- requests ------------------------------------------------------------------------------

    def asked(self, key: int, request: HttpRequest, now_ns: int) -> None:
        """Answer one request, now or (a late one) later."""
        path, _, query = request.path.partition("?")
        parts = path.strip("/").split("/")
        if len(parts) != 3 or parts[0] != "0" or parts[1] not in {"public", "private"}:
            self._page(key, 404)
            return
        fields = _fields(request)
        if fields is None:
            self._error(key, BAD_REQUEST)
        elif parts[1] == "public":
            self._ask_public(key, parts[2], dict(parse_qsl(query)) | dict(fields), now_ns)
        else:
            self._ask_private(key, parts[2], request, fields, now_ns)

    def _ask_public(self, key: int, name: str, fields: Fields, now_ns: int) -> None:
        call = self._public.calls.get(name)
        if call is None:
            self._error(key, UNKNOWN_METHOD)
            return
        try:
            self._result(key, call(fields, now_ns))
        except UnfitError as error:
            self._error(key, str(error))

    def _ask_private(
        self, key: int, name: str, request: HttpRequest, fields: Fields, now_ns: int
    ) -> None:
        is_trading = name in METHODS
        if not is_trading and name not in self._views.calls:
            self._error(key, UNKNOWN_METHOD)
            return
        account, refusal = self._admit(name, request, fields, now_ns)
        if account is None:
            self._note_refused(name, request, fields, refusal, now_ns)
            self._error(key, refusal)
        elif is_trading:
            n = self._hub.exchange.ledger.arrive()
            asked = Request(n, account, "rest", now_ns, now_ns)
            self._trade(key, name, asked, fields)
        else:
            self._read(key, name, account, fields, now_ns)

    def _admit(
        self, name: str, request: HttpRequest, fields: Fields, now_ns: int
    ) -> tuple[Account | None, str]:
        """Return the account behind a signed request, or the refusal."""
        if request.method.upper() != "POST":
            return None, BAD_REQUEST
        headers = {head.lower(): value for head, value in request.headers.items()}
        login = self._logins.get(headers.get("api-key", ""))
        if login is None:
            return None, INVALID_KEY
        path = request.path.partition("?")[0]
        sign = headers.get("api-sign", "")
        refusal = login.verify(path, fields.get("nonce", ""), request.body, sign, now_ns)
        if not refusal and PERMISSION.get(name, "query") not in login.permissions:
            refusal = DENIED
        cost = 0.0 if name in METHODS else COSTS.get(name, 1.0)
        if not refusal and not login.spend(cost, now_ns):
            refusal = RATE_LIMIT
        if refusal:
            return None, refusal
        return self._hub.exchange.accounts[login.account], ""

    def _note_refused(
        self, name: str, request: HttpRequest, fields: Fields, refusal: str, now_ns: int
    ) -> None:
        """Write the rows of a trading request of a known key that was refused at the door."""
        login = self._login(request)
        if login is not None and name in METHODS:
            exchange = self._hub.exchange
            account = exchange.accounts[login.account]
            asked = Request(exchange.ledger.arrive(), account, "rest", now_ns, now_ns)
            self._desk.note_unread(asked, METHODS[name], named(fields), "refused", refusal)

    def _login(self, request: HttpRequest) -> Login | None:
        headers = {head.lower(): value for head, value in request.headers.items()}
        return self._logins.get(headers.get("api-key", ""))

    # --- reading -------------------------------------------------------------------------------

    def _read(self, key: int, name: str, account: Account, fields: Fields, now_ns: int) -> None:
        if name != "GetWebSocketsToken" and self._fails(key, name):
            return
        self._hub.exchange.ledger.note_request(
            self._hub.exchange.ledger.arrive(),
            now_ns,
            account=account.name,
            transport="rest",
            method="other" if name == "GetWebSocketsToken" else "read",
            outcome="accepted",
            client_order_id=str(fields.get("cl_ord_id") or ""),
            reason=name,
        )
        self._views.fix_lag()
        try:
            self._result(key, self._views.calls[name](account, fields, now_ns))
        except UnfitError as error:
            self._error(key, str(error))

    def _fails(self, key: int, name: str) -> bool:
        """Whether a fault answers this look-up."""
        for fault, status in (("lookup_429", 429), ("lookup_502", 502), ("lookup_520", 520)):
            if self._chance.strikes(fault):
                self._page(key, status)
                return True
        if self._chance.strikes("lookup_busy"):
            self._error(key, BUSY)
            return True
        if name in EMPTY and self._chance.strikes("lookup_empty"):
            self._result(key, EMPTY[name])
            return True
        return False

    # --- trading -------------------------------------------------------------------------------

    def _trade(self, key: int, name: str, asked: Request, fields: Fields) -> None:
        """Carry it out, or let a fault have its way."""
        eaten: tuple[tuple[str, Callable[[], None]], ...] = (
            ("cut_before", lambda: self._cut(key)),
            ("busy_before", lambda: self._error(key, BUSY)),
            ("rest_502", lambda: self._page(key, 502)),
        )
        for fault, answer in eaten:
            if self._chance.strikes(fault):
                self._desk.note_unread(asked, METHODS[name], named(fields), "dropped", fault)
                answer()
                return
        if name in PLACING and self._chance.strikes("place_late"):
            at_ns = asked.now_ns + self._chance.faults.late_ns
            self._later(at_ns, lambda then_ns: self._execute(key, name, asked, fields, then_ns))
            return
        if self._chance.strikes("held_up"):
            at_ns = asked.now_ns + self._chance.faults.held_up_ns
            self._later(at_ns, lambda then_ns: self._execute(key, name, asked, fields, then_ns))
            return
        self._execute(key, name, asked, fields, asked.now_ns)

    def _execute(self, key: int, name: str, asked: Request, fields: Fields, now_ns: int) -> None:
        asked = replace(asked, now_ns=now_ns)
        error, result = "", None
        try:
            result = self._orders.call(name, asked, fields)
        except RefusedError as refusal:
            error = str(refusal)
        except UnfitError as refusal:
            error = str(refusal)
            self._desk.note_unread(asked, METHODS[name], named(fields), "refused", error)
        self._hub.publish(now_ns)
        if self._chance.strikes("drop_ack"):
            return
        if self._chance.strikes("cut_after"):
            self._cut(key)
        elif self._chance.strikes("busy_after"):
            self._error(key, BUSY)
        elif self._chance.strikes("rest_520"):
            self._page(key, 520)
        elif error:
            self._error(key, error)
        else:
            self._result(key, result)


def bad_gateway(key: int) -> SimAnswer:
    """What stands in front answers where the venue itself is down."""
    return SimAnswer(key, 502, HTML.format(PAGES[502]).encode(), "text/html")


def _fields(request: HttpRequest) -> Fields | None:
    """Read a form or JSON body; None if it is neither."""
    if not request.body:
        return {}
    headers = {head.lower(): value for head, value in request.headers.items()}
    if "json" in headers.get("content-type", "") or request.body[:1] == b"{":
        found = decode(request.body)
        return found if isinstance(found, dict) else None
    try:
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        return None
