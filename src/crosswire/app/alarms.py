"""What a person is told at once: halts and given-up transports as warnings, the rest as news.

Told off the hot path, after the turn in which it happened; the journal has it all.
"""

import logging

from crosswire.domain import (
    Absent,
    AnyEvent,
    Approved,
    BreakerClosed,
    BreakerOpened,
    Corrected,
    DoubtMoved,
    Halted,
    Resumed,
)
from crosswire.doubt import NEW_RUN

_log = logging.getLogger("crosswire")


def alarm(record: AnyEvent | Approved) -> None:
    """Log what happened, if it is one of these."""
    match record:
        case Halted():
            _log.warning(
                "account %s is halted: %s; it ends by %s",
                record.account,
                record.reason,
                record.exit,
            )
        case Resumed():
            # That every run begins halted is nothing to be warned of.
            level = logging.INFO if record.reason == NEW_RUN else logging.WARNING
            _log.log(level, "account %s is no longer halted: %s", record.account, record.reason)
        case BreakerOpened():
            _log.warning(
                "account %s places nothing by %s for now: %s",
                record.account,
                record.transport,
                record.reason,
            )
        case BreakerClosed():
            _log.warning("account %s places by %s again", record.account, record.transport)
        case DoubtMoved(step="opened" | "settled"):
            order_id, step = record.client_order_id, record.step
            _log.info("order %s: doubt %s: %s", order_id, step, record.evidence)
        case Absent():
            _log.info("order %s never was: %s", record.client_order_id, record.evidence)
        case Corrected():
            what, cause = record.what, record.cause
            _log.info("corrected: %s; %s, as %s shows", what, cause, record.evidence)
        case _:
            pass
