"""Whether the login's two halves belong together: the account's address, and who signs for it.

The venue answers questions about any address, and a wrong signer is told apart only by what it
refuses. So both are looked up at the start, and again until they fit.
"""

from crosswire.domain import AnyEvent, VenueWarned
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.decode.messages import Reply
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.session.numbers import Post
from crosswire.venues.hyperliquid.session.outgoing import Outgoing
from crosswire.venues.hyperliquid.session.weights import Weights

AGAIN_NS = 60_000_000_000  # after a wrong pair
FAILED_NS = 500_000_000  # after a question that failed
TELL_AFTER = 3  # failures in a row, or not
OVERDUE_NS = 6_000_000_000
_TRADED_FOR = ("subAccount", "vault")  # their master, or leader, signs


class Roles:
    """The check of one login."""

    def __init__(
        self,
        session: str,
        address: str,
        signer: str,
        outgoing: Outgoing,
        weights: Weights,
        post: Post,
    ) -> None:
        self.is_right = False
        self.vault = ""  # whom actions have to name: the account, where another one signs for it
        self._session = session
        self._address = address
        self._signer = signer
        self._outgoing = outgoing
        self._weights = weights
        self._post = post
        self._asked: dict[int, str] = {}  # HTTP request, or post below zero -> about whom
        self._asked_ns = 0
        self._due_ns = 0
        self._found: dict[str, wire.UserRole] = {}
        self._told = ""
        self._failures = 0

    def owns(self, key: int) -> bool:
        """Whether an HTTP request, or below zero a post, is one of its questions."""
        return key in self._asked

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask, if it is time."""
        if self.is_right or now_ns < self._due_ns:
            return []
        if self._asked and now_ns - self._asked_ns < OVERDUE_NS:
            return []
        who = list(dict.fromkeys((self._address, self._signer)))
        who = [address for address in who if address not in self._found]
        self._asked.clear()
        for address in who:
            self._ask(address, now_ns)
        return []

    def _ask(self, address: str, now_ns: int) -> None:
        question = questions.of_user("userRole", address)
        key = -self._post(question.body, now_ns)
        if not key and self._weights.may(question.weight, now_ns):
            key = self._outgoing.call("/info", question.body, question.weight, now_ns)
        if key:
            self._asked_ns = now_ns
            self._asked[key] = address

    def answered(self, key: int, status: int, body: bytes, now_ns: int) -> list[AnyEvent]:
        """Read one answer; with both of them it is decided."""
        return self._read(key, info.answer(status, body, wire.UserRole), now_ns)

    def replied(self, reply: Reply, now_ns: int) -> list[AnyEvent]:
        """The same by post."""
        got: info.Answer[wire.UserRole] = info.Answer(None, reply.error)
        if reply.kind == "info":
            got = info.posted(reply.payload, wire.UserRole)
        return self._read(-reply.request_id, got, now_ns)

    def failed(self, key: int, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: asked again soon."""
        return self._read(key, info.Answer(None, reason), now_ns)

    def closed(self, now_ns: int) -> None:
        """The connection is gone, and all answers by post with it."""
        for key in [key for key in self._asked if key < 0]:
            del self._asked[key]
            self._due_ns = now_ns

    def _read(self, key: int, got: info.Answer[wire.UserRole], now_ns: int) -> list[AnyEvent]:
        address = self._asked.pop(key)
        if got.result is None:
            self._due_ns = now_ns + FAILED_NS
            self._failures += 1
            if self._failures < TELL_AFTER:
                return []
            return self._tell(f"userRole failed: {got.error}", now_ns)
        self._found[address] = got.result
        if any(one not in self._found for one in (self._address, self._signer)):
            return []
        wrong = self._judge()
        if wrong:
            self._found.clear()
            self._due_ns = now_ns + AGAIN_NS
            return self._tell(wrong, now_ns)
        self.is_right = True
        return []

    def _tell(self, text: str, now_ns: int) -> list[AnyEvent]:
        """Say what is wrong, once as long as it stays the same."""
        if text == self._told:
            return []
        self._told = text
        return [VenueWarned(now_ns, self._session, text)]

    def _judge(self) -> str:
        """Return what is wrong with the pair in one line, "" if nothing is."""
        account, signer = self._found[self._address], self._found[self._signer]
        if account.role == "missing":
            return f"{self._address} is no account here: nothing was ever deposited to it"
        if account.role == "agent":
            master = account.data.user if account.data else "another one"
            return f"{self._address} is an API wallet of {master}: name that one as the account"
        owner = self._address
        if account.role in _TRADED_FOR:
            owner = account.data.master.lower() if account.data else ""
        is_for_another = account.role in _TRADED_FOR
        if self._signer == self._address:
            if is_for_another:
                return f"{self._address} is a {account.role}: its master signs for it"
            return ""
        who = self._signer
        if signer.role == "agent" and signer.data is not None:
            who = signer.data.user.lower()
        if owner and who != owner:
            return f"{self._signer}, which signs, is no API wallet of {owner} ({signer.role})"
        if not owner and signer.role not in ("user", "agent"):
            return f"{self._signer}, which signs, is no account here ({signer.role})"
        self.vault = self._address if is_for_another else ""
        return ""
