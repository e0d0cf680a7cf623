"""Bugs of what look-ups ask, where an account is an address and not all is read in one place."""

from typing import Any

from msgspec import structs

from crosswire.sim.plants.planting import Method, Program, of, plant, wrap


def _look_ups(program: Program) -> list[Any]:
    """The part of each session that looks up."""
    found = (getattr(session, "_lookups", None) for session in program.sessions)
    return [each for each in found if each is not None]


@plant(
    "wrong_address",
    "look-ups ask about the wallet that signs, which has nothing, and not about the account",
    shows_in="not_converged",
)
def _wrong_address(program: Program) -> None:
    for session in program.sessions:
        look_ups = getattr(session, "_lookups", None)
        if look_ups is not None:
            who = of(look_ups, "_who")
            wallet = of(of(of(session, "_outgoing"), "signer"), "address")
            vars(look_ups)["_who"] = structs.replace(who, address=wallet)


@plant(
    "first_page_of_fills",
    "the first page of the fills is taken for all of them",
    shows_in="lost_fills",
)
def _first_page_of_fills(program: Program) -> None:
    def around(begin: Method) -> Method:
        def begun(read: Any, now_ns: int) -> bool:
            has_begun: bool = begin(read, now_ns)
            if has_begun and hasattr(read, "_ask_page"):
                vars(read)["_ask_page"] = lambda *_: None
            return has_begun

        return begun

    for look_ups in _look_ups(program):
        wrap(look_ups, "_begin", around)
