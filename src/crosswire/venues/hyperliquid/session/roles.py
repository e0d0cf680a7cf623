"""Whether the login's two halves belong together: the account's address, and who signs for it.

The venue answers questions about any address, and a wrong signer is told apart only by what it
refuses. So both are looked up at the start, and again until they fit.
"""

from typing import Any

from crosswire.domain import AnyEvent, VenueWarned
from crosswire.venues.hyperliquid import wire
from crosswire.venues.hyperliquid.decode import info
from crosswire.venues.hyperliquid.encode import info as questions
from crosswire.venues.hyperliquid.session.catalogue import HEADERS
from crosswire.venues.hyperliquid.session.numbers import Numbers
from crosswire.venues.hyperliquid.session.weights import Weights
from crosswire.venues.interface import HttpRequest, Output

AGAIN_NS = 60_000_000_000  # after a wrong pair
FAILED_NS = 3_000_000_000  # after a question that failed
OVERDUE_NS = 15_000_000_000
_TRADED_FOR = ("subAccount", "vault")  # their master, or leader, signs


class Roles:
    """The check of one login."""

    def __init__(
        self,
        session: str,
        address: str,
        signer: str,
        outbox: list[Output],
        numbers: Numbers,
        weights: Weights,
    ) -> None:
        self.is_right = False
        self.vault = ""  # whom actions have to name: the account, where another one signs for it
        self._session = session
        self._address = address
        self._signer = signer
        self._outbox = outbox
        self._numbers = numbers
        self._weights = weights
        self._asked: dict[int, str] = {}  # request -> about whom
        self._asked_ns = 0
        self._due_ns = 0
        self._found: dict[str, wire.UserRole] = {}
        self._told = ""

    def owns(self, key: int) -> bool:
        """Whether an HTTP request is one of its questions."""
        return key in self._asked

    def tick(self, now_ns: int) -> list[AnyEvent]:
        """Ask, if it is time."""
        if self.is_right or now_ns < self._due_ns:
            return []
        if self._asked and now_ns - self._asked_ns < OVERDUE_NS:
            return []
        who = list(dict.fromkeys((self._address, self._signer)))
        who = [address for address in who if address not in self._found]
        if not self._weights.may(questions.ROLE * len(who), now_ns):
            return []
        self._asked_ns = now_ns
        self._asked.clear()
        for address in who:
            question = questions.of_user("userRole", address)
            self._weights.spend(question.weight, now_ns)
            key = self._numbers.next()
            self._asked[key] = address
            self._outbox.append(HttpRequest(key, "POST", "/info", HEADERS, question.body))
        return []

    def answered(
        self, request: HttpRequest, status: int, body: bytes, now_ns: int
    ) -> list[AnyEvent]:
        """Read one answer; with both of them it is decided."""
        address = self._asked.pop(request.key)
        kind: Any = wire.UserRole
        got = info.answer(status, body, kind)
        if got.result is None:
            if status == 429:
                self._weights.refused(now_ns)
            return self._again(f"userRole failed: {got.error}", now_ns)
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

    def failed(self, request: HttpRequest, reason: str, now_ns: int) -> list[AnyEvent]:
        """No answer: asked again soon."""
        del self._asked[request.key]
        return self._again(f"userRole failed: {reason}", now_ns)

    def _again(self, reason: str, now_ns: int) -> list[AnyEvent]:
        self._due_ns = now_ns + FAILED_NS
        return self._tell(reason, now_ns)

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
