"""REST answers to trading requests, in the shape of a WebSocket's answers.

What proves nothing (HTTP 5xx, error pages, `EService:Busy`, a body that cannot be read)
becomes a text instead of a `Reply`: the outcome is open.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from crosswire.venues.kraken.decode import errors
from crosswire.venues.kraken.decode.messages import BatchVerdict, Reply
from crosswire.venues.kraken.decode.rest import answer
from crosswire.venues.kraken.wire import (
    RestAddOrder,
    RestAddOrderBatch,
    RestAmendOrder,
    RestCancel,
    RestCancelAfter,
)

_Result = TypeVar("_Result")
Read = Callable[[int, bytes], Reply | str]


def reply(method: str, status: int, body: bytes) -> Reply | str:
    """Return the answer to a trading request, or why it leaves the outcome open."""
    return _READ[method](status, body)


def worst(texts: Sequence[str]) -> str:
    """Return the error that leaves most open; `texts` is not empty."""
    verdict = errors.classify_all(texts)
    return next(text for text in texts if errors.classify(text) == verdict)


def _reader(method: str, kind: type[_Result], succeed: Callable[[_Result], Reply]) -> Read:
    def read(status: int, body: bytes) -> Reply | str:
        got = answer(status, body, kind)
        if got.result is not None:
            return succeed(got.result)
        if got.verdict == "unknown":
            return got.reason
        return Reply(method, 0, success=False, error=worst(got.errors))

    return read


def _added(result: RestAddOrder) -> Reply:
    return Reply("add_order", 0, success=True, order_id=result.txid[0] if result.txid else "")


def _batch(result: RestAddOrderBatch) -> Reply:
    items = tuple(BatchVerdict(order_id=row.txid, error=row.error) for row in result.orders)
    return Reply("batch_add", 0, success=True, items=items)


def _amended(result: RestAmendOrder) -> Reply:
    return Reply("amend_order", 0, success=True, amend_id=result.amend_id)


def _cancelled(result: RestCancel) -> Reply:
    if not result.count and not result.pending:
        text = "the venue cancelled nothing"
        return Reply("cancel_order", 0, success=False, error=text)
    return Reply("cancel_order", 0, success=True, count=result.count)


def _counted(method: str) -> Callable[[RestCancel], Reply]:
    return lambda result: Reply(method, 0, success=True, count=result.count)


def _armed(_: RestCancelAfter) -> Reply:
    return Reply("cancel_all_orders_after", 0, success=True)


_READ: dict[str, Read] = {
    "add_order": _reader("add_order", RestAddOrder, _added),
    "batch_add": _reader("batch_add", RestAddOrderBatch, _batch),
    "amend_order": _reader("amend_order", RestAmendOrder, _amended),
    "cancel_order": _reader("cancel_order", RestCancel, _cancelled),
    "batch_cancel": _reader("batch_cancel", RestCancel, _counted("batch_cancel")),
    "cancel_all": _reader("cancel_all", RestCancel, _counted("cancel_all")),
    "cancel_all_orders_after": _reader("cancel_all_orders_after", RestCancelAfter, _armed),
}
