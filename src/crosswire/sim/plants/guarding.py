"""Bugs of switches, halts and breakers."""

from functools import partial

from crosswire.domain import (
    Approved,
    ArmDeadMan,
    Cancel,
    CancelAll,
    CancelBatch,
    Resumed,
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
