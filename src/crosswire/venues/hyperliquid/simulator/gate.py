"""Who may do what: signers, API wallets, vaults, and the nonces of each signer."""

from bisect import insort

from msgspec import Struct

from crosswire.venues.hyperliquid.simulator.accounts import Account, Agent
from crosswire.venues.hyperliquid.simulator.actions import ApproveAgent, Signed, UserSigned
from crosswire.venues.hyperliquid.simulator.exchange import Exchange
from crosswire.venues.hyperliquid.simulator.signatures import signer
from crosswire.venues.hyperliquid.simulator.text import address, ms

KEPT_NONCES = 100
DAY_MS = 86_400_000
EXPIRED = "Action already expired"
NAMED_AGENTS = 3
AGENT_DAYS, AGENT_MOST_DAYS = 90, 180
VALID_UNTIL = " valid_until "


class Admitted(Struct):
    """A request whose signer is known: who is traded for, and who signed."""

    account: Account
    signer: str
    signed: Signed


class Refused(Struct, frozen=True):
    """A request that is answered with one text; the account, as far as it is known."""

    text: str
    account: Account | None = None


class Nonces:
    """The highest nonces of one signer."""

    def __init__(self) -> None:
        self._kept: list[int] = []

    def refusal(self, nonce: int, now_ms: int, *, must_rise: bool) -> str:
        """Return why a nonce is not taken, "" if it may be."""
        if nonce in self._kept:
            return f"Invalid nonce: duplicate nonce {nonce}"
        least = now_ms - 2 * DAY_MS
        if len(self._kept) == KEPT_NONCES:
            least = max(least, self._kept[0])
        if must_rise and self._kept:
            least = max(least, self._kept[-1])
        if nonce < least:
            return f"Invalid nonce: nonce too low {nonce} < {least}"
        if nonce > now_ms + DAY_MS:
            return f"Invalid nonce: nonce too high {nonce} > {now_ms + DAY_MS}"
        return ""

    def spend(self, nonce: int) -> None:
        insort(self._kept, nonce)
        if len(self._kept) > KEPT_NONCES:
            del self._kept[0]


class Gate:
    """Knows all signers."""

    def __init__(self, exchange: Exchange, *, is_mainnet: bool) -> None:
        self._exchange = exchange
        self._is_mainnet = is_mainnet
        self.agents: dict[str, Agent] = {}
        self._nonces: dict[str, Nonces] = {}

    def admit(self, signed: Signed, now_ns: int) -> Admitted | Refused:
        """Let a request in as it arrives, or say why not."""
        who = signer(signed, is_mainnet=self._is_mainnet)
        if who is None:
            return Refused("Unable to recover signer.")
        account = self._account(who, signed, now_ns)
        if isinstance(account, Refused):
            return account
        admitted = Admitted(account, who, signed)
        text = self._timely(admitted, now_ns)
        return Refused(text, account) if text else admitted

    def _account(self, who: str, signed: Signed, now_ns: int) -> Account | Refused:
        """Return the account that a signer acts for."""
        own = self._exchange.addresses.get(who)
        if isinstance(signed.action, UserSigned):
            text = f"Must deposit before performing actions. User: {who}"
            return own if own is not None and not own.master else Refused(text)
        agent = self.agents.get(who)
        if agent is not None and self._is_valid(agent, now_ns):
            own = self._exchange.addresses.get(agent.master)
        if own is None or own.master:
            return Refused(f"User or API Wallet {who} does not exist.")
        vault = signed.vault_address
        if vault is None or vault == own.address:
            return own
        held = self._exchange.addresses.get(vault)
        if held is None or held.master != own.address:
            return Refused(f"Vault not registered: {vault}", own)
        return held

    def _is_valid(self, agent: Agent, now_ns: int) -> bool:
        if now_ns < agent.refused_until_ns:
            return False
        return not agent.valid_until_ms or ms(now_ns) <= agent.valid_until_ms

    # --- nonces and bounds ---------------------------------------------------------------------

    def _timely(self, admitted: Admitted, now_ns: int) -> str:
        """Return why a request comes at the wrong time, "" if it does not."""
        faults = self._exchange.faults
        is_late = self.is_expired(admitted.signed, now_ns)
        if is_late and not faults.nonce_checked_first_is:
            if faults.expired_spends_nonce_is:
                self._spend_if_new(admitted, now_ns)
            return EXPIRED
        text = self.nonce_refusal(admitted, now_ns)
        if not text and (not faults.nonce_spent_in_block_is or is_late):
            self.spend(admitted)
        return text or (EXPIRED if is_late else "")

    def _spend_if_new(self, admitted: Admitted, now_ns: int) -> None:
        if not self.nonce_refusal(admitted, now_ns):
            self.spend(admitted)

    def is_expired(self, signed: Signed, now_ns: int) -> bool:
        """Whether the block's time is past what the client allowed."""
        return signed.expires_after is not None and signed.expires_after < ms(now_ns)

    def nonce_refusal(self, admitted: Admitted, now_ns: int) -> str:
        must_rise = bool(self._exchange.faults.nonce_rises_is)
        nonces = self._nonces.setdefault(admitted.signer, Nonces())
        return nonces.refusal(admitted.signed.nonce, ms(now_ns), must_rise=must_rise)

    def spend(self, admitted: Admitted) -> None:
        self._nonces.setdefault(admitted.signer, Nonces()).spend(admitted.signed.nonce)

    # --- API wallets ---------------------------------------------------------------------------

    def approve(self, account: Account, action: ApproveAgent, now_ns: int) -> str:
        """Take an API wallet; returns why not, or ""."""
        try:
            found = address(action.agent_address)
            name, until_ms = _name_and_end(action.agent_name, ms(now_ns))
        except ValueError:
            return "Invalid agent."
        if found in self.agents or found in self._exchange.addresses:
            return "Extra agent already used."
        for old in self.of(account):
            if old.name == name:
                del self.agents[old.address]
        named = [agent for agent in self.of(account) if agent.name]
        subs = [one for one in self._exchange.accounts.values() if one.master == account.address]
        if name and len(named) >= NAMED_AGENTS + 2 * len(subs):
            return "Too many extra agents."
        self.agents[found] = Agent(found, account.address, name, until_ms)
        return ""

    def of(self, account: Account) -> list[Agent]:
        """Return an account's API wallets."""
        return [agent for agent in self.agents.values() if agent.master == account.address]


def _name_and_end(text: str, now_ms: int) -> tuple[str, int]:
    """Split " valid_until <ms>" from a wallet's name; `ValueError` if it is out of range."""
    name, mark, until = text.partition(VALID_UNTIL)
    if not mark:
        return name, now_ms + AGENT_DAYS * DAY_MS
    until_ms = int(until)
    if not now_ms < until_ms <= now_ms + AGENT_MOST_DAYS * DAY_MS:
        raise ValueError(text)
    return name, until_ms
