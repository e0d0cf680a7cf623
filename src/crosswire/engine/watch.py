"""What the engine does by the clock: the dead-man switch, a kill's cancels, the loss breaker."""

from collections.abc import Callable

from crosswire.domain import AnyCommand, ArmDeadMan, CancelAll, Halted, Resumed
from crosswire.engine.settings import Settings
from crosswire.orders import Orders
from crosswire.quotes import cancel
from crosswire.risk import Risk

SECOND_NS = 1_000_000_000
# A kill repeats its cancels until nothing is open: one may be lost, or come before its order.
KILL_REPEAT_NS = 2 * SECOND_NS
LOSS = "loss limit: "


class Watch:
    """Decides, by `now_ns` alone, what is due."""

    def __init__(
        self,
        settings: Settings,
        orders: Orders,
        risk: Risk,
        is_following: Callable[[str, int], bool],
    ) -> None:
        """`is_following`: whether look-ups stand in for an account's lost private stream."""
        self._is_following = is_following
        self._settings = settings
        self._orders = orders
        self._risk = risk
        self._asked_ns: dict[str, int] = {}
        self._killed_ns: dict[str, int] = {}
        self._second = 0
        self._cooling_ns: dict[str, int] = {}
        self.in_control: dict[str, bool] = {}

    def is_second(self, now_ns: int) -> bool:
        """Tell whether a new second has begun since the last call."""
        second = now_ns // SECOND_NS
        is_new, self._second = second != self._second, second
        return is_new

    def commands(self, now_ns: int) -> list[AnyCommand]:
        """Return the arms and cancels that are due."""
        due: list[AnyCommand] = []
        for name, account in self._settings.accounts.items():
            is_killed = name in self._risk.killed or "" in self._risk.killed
            has_open = self._orders.open_count(name) > 0
            if is_killed and has_open and self._is_due(self._killed_ns, name, now_ns):
                due.append(CancelAll(name))
                if not account.has_cancel_all:  # it cancels what it knows of; we know more
                    due += map(cancel, self._orders.all_open(name))
            # While killed with orders open the switch is left to fire: it is the last resort.
            if is_killed and has_open:
                continue
            is_in_control = self.in_control.get(name) or self._is_following(name, now_ns)
            if account.dead_man_ns and is_in_control:
                due += self._arm(name, account.dead_man_ns, now_ns)
        return due

    def _is_due(self, last_ns: dict[str, int], name: str, now_ns: int) -> bool:
        if now_ns - last_ns.get(name, 0) < KILL_REPEAT_NS:
            return False
        last_ns[name] = now_ns
        return True

    def _arm(self, name: str, timeout_ns: int, now_ns: int) -> list[AnyCommand]:
        left_ns = self._risk.armed_ns.get(name, 0) - now_ns
        asked_ns = now_ns - self._asked_ns.get(name, 0)
        # Asked at two thirds of its time left; an unanswered one again after a sixth.
        if left_ns > timeout_ns * 2 // 3 or asked_ns < timeout_ns // 6:
            return []
        self._asked_ns[name] = now_ns
        return [ArmDeadMan(name, timeout_ns)]

    def breaches(self, now_ns: int) -> list[Halted | Resumed]:
        """Return the halts that losses call for, and the ends of cooldowns."""
        found: list[Halted | Resumed] = []
        for name, account in self._settings.accounts.items():
            limits = account.limits
            halts = self._risk.halted.get(name, {})
            mine = [reason for reason in halts if reason.startswith(LOSS)]
            if mine:
                cooled = limits.loss_cooldown_ns and now_ns >= self._cooling_ns.get(name, 0)
                if cooled:
                    self._risk.losses.forgive(name)
                    found += [Resumed(now_ns, name, reason) for reason in mine]
            elif limits.max_daily_loss or limits.max_drawdown:
                broken = self._risk.losses.breach(
                    name,
                    now_ns,
                    max_daily_loss=limits.max_daily_loss,
                    max_drawdown=limits.max_drawdown,
                )
                if broken:
                    self._cooling_ns[name] = now_ns + limits.loss_cooldown_ns
                    way_out = "the cooldown" if limits.loss_cooldown_ns else "crosswire resume"
                    found.append(Halted(now_ns, name, LOSS + broken, way_out))
        return found
