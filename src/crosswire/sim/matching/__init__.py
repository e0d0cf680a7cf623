"""The one price-time matching engine under all simulators. Pure: time is an argument."""

from crosswire.sim.matching.depth import DepthView
from crosswire.sim.matching.engine import MatchingEngine
from crosswire.sim.matching.outcomes import (
    EXTERNAL,
    Amended,
    AmendRefused,
    AnyOutcome,
    Completed,
    Expired,
    Killed,
    KillReason,
    Order,
    Outcome,
    Refilled,
    Rested,
    Stage,
    Traded,
    Trailed,
    Triggered,
    Waiting,
)

__all__ = [
    "EXTERNAL",
    "AmendRefused",
    "Amended",
    "AnyOutcome",
    "Completed",
    "DepthView",
    "Expired",
    "KillReason",
    "Killed",
    "MatchingEngine",
    "Order",
    "Outcome",
    "Refilled",
    "Rested",
    "Stage",
    "Traded",
    "Trailed",
    "Triggered",
    "Waiting",
]
