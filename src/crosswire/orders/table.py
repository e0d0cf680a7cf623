"""The life of an order: stages x events, every cell filled.

This literal is the truth; the picture in the docs is drawn from it. It answers only "which stage
next"; quantities, requests in flight and reasons are fields of the order. The columns mean:

* Rejected: every copy of the place request that was sent is definitely refused.
* TimedOut: the place's or a cancel's outcome is open. A doubtful amend leaves the stage alone.
* Missing: a complete read lacks the order. Absent: proof that it never existed and never can.

DONE x Accepted or Filled is a late accept if we had closed the order by refusal or absence: the
stage stays DONE, the exposure is reserved again, and the engine cancels, halts and alarms.
"""

from typing import Literal

from crosswire.domain import Absent, Accepted, Closed, Filled, Missing, Rejected, Reversed, TimedOut

Stage = Literal["SENDING", "LIVE", "UNKNOWN", "DONE"]
STAGES: tuple[Stage, ...] = ("SENDING", "LIVE", "UNKNOWN", "DONE")

TABLE: dict[Stage, dict[type, Stage]] = {
    "SENDING": {
        Accepted: "LIVE",
        Rejected: "DONE",
        Filled: "LIVE",
        Closed: "DONE",
        TimedOut: "UNKNOWN",
        Missing: "SENDING",
        Absent: "SENDING",
        Reversed: "SENDING",
    },
    "LIVE": {
        Accepted: "LIVE",
        Rejected: "UNKNOWN",
        Filled: "LIVE",
        Closed: "DONE",
        TimedOut: "UNKNOWN",
        Missing: "UNKNOWN",
        Absent: "UNKNOWN",
        Reversed: "LIVE",
    },
    "UNKNOWN": {
        Accepted: "LIVE",
        Rejected: "DONE",
        Filled: "LIVE",
        Closed: "DONE",
        TimedOut: "UNKNOWN",
        Missing: "UNKNOWN",
        Absent: "DONE",
        Reversed: "UNKNOWN",
    },
    "DONE": {
        Accepted: "DONE",
        Rejected: "DONE",
        Filled: "DONE",
        Closed: "DONE",
        TimedOut: "DONE",
        Missing: "DONE",
        Absent: "DONE",
        Reversed: "DONE",
    },
}
