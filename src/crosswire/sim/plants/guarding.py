"""Bugs of switches, halts and breakers."""

from functools import partial

from crosswire.domain import (
    AnyEvent,
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    CancelRejected,
    Resumed,
    Transport,
)
from crosswire.sim.plants.planting import (
    Method,
    Program,
    choosing,
    of,
    plant,
    wrap,
    wrap_events,
)


@plant(
    "kill_once",
    "a kill cancels everything once, and never asks again",
    shows_in="open_while_killed",
)
def _kill_once(program: Program) -> None:
    killed: set[str] = set()

    def is_first(approved: Approved) -> bool:
        command = approved.command
        is_killed = bool(of(of(program.engine, "risk"), "killed"))
        if not is_killed or not isinstance(command, CancelAll | Cancel | CancelBatch):
            return True
        is_new = command.account not in killed
        killed.add(command.account)
        return is_new

    for method in ("tick", "turn"):
        wrap(program.engine, method, partial(choosing, is_first))


@plant(
    "assume_armed",
    "the dead-man switch is taken for armed when it was asked for",
    shows_in="placed_while_unarmed",
)
def _assume_armed(program: Program) -> None:
    armed_ns = of(of(program.engine, "risk"), "armed_ns")

    def around(register: Method) -> Method:
        def registered(approved: Approved) -> object:
            command = approved.command
            if isinstance(command, ArmDeadMan):
                armed_ns[command.account] = approved.approved_ns + command.timeout_ns
            return register(approved)

        return registered

    wrap(program.engine, "register", around)


@plant(
    "arm_once",
    "the dead-man switch is armed once and never again",
    shows_in="trading_stopped",
)
def _arm_once(program: Program) -> None:
    armed: set[str] = set()

    def is_first(approved: Approved) -> bool:
        command = approved.command
        if not isinstance(command, ArmDeadMan):
            return True
        is_new = command.account not in armed
        if of(of(program.engine, "risk"), "armed_ns").get(command.account):
            armed.add(command.account)
        return is_new

    wrap(program.engine, "tick", partial(choosing, is_first))


@plant(
    "halt_for_ever",
    "a halt has no exit",
    shows_in="trading_stopped",
)
def _halt_for_ever(program: Program) -> None:
    wrap_events(program.engine, lambda event: [] if isinstance(event, Resumed) else [event])


@plant(
    "breaker_holds_cancel",
    "a breaker that is open holds back cancels as well",
    shows_in="cancels_held",
)
def _breaker_holds_cancel(program: Program) -> None:
    breakers = of(of(program.engine, "risk"), "breakers")

    def around(send: Method) -> Method:
        def held(approved: Approved, transport: Transport, now_ns: int) -> list[AnyEvent]:
            command = approved.command
            if not of(breakers, "_open") or not isinstance(command, Cancel | CancelBatch):
                events: list[AnyEvent] = send(approved, transport, now_ns)
                return events
            cancels = command.cancels if isinstance(command, CancelBatch) else (command,)
            return [
                CancelRejected(
                    now_ns,
                    each.account,
                    each.client_order_id,
                    each.venue_order_id,
                    approved.request_id,
                    "the breaker is open",
                    is_unsent=True,
                )
                for each in cancels
            ]

        return held

    for session in program.sessions:
        wrap(session, "send", around)


@plant(
    "breaker_holds_token",
    "a breaker that is open holds back the question for a token, and with it the login",
    shows_in="transports_down",
)
def _breaker_holds_token(program: Program) -> None:
    breakers = of(of(program.engine, "risk"), "breakers")
    for session in program.sessions:
        login = getattr(session, "_login", None)
        if login is not None:
            wrap(login, "_mint", lambda mint: lambda now_ns: of(breakers, "_open") or mint(now_ns))
