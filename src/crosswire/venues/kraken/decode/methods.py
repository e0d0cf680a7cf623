"""Answers to our requests -> `Reply`, `Pong`."""

import msgspec

from crosswire.venues.kraken import wire
from crosswire.venues.kraken.decode.messages import BatchVerdict, Pong, Reply
from crosswire.venues.kraken.decode.text import time_ns

_answer = msgspec.json.Decoder(wire.MethodAnswer)
_result = msgspec.json.Decoder(wire.MethodResult)
_batch = msgspec.json.Decoder(list[wire.BatchAnswer])
_NOTHING = wire.MethodResult()


def answer(payload: bytes) -> Reply | Pong:
    """Return what an answer says; `ValueError` and its like for what is not an answer."""
    got = _answer.decode(payload)
    req_id = got.req_id or 0
    in_ns, out_ns = time_ns(got.time_in), time_ns(got.time_out)
    if got.method == "pong":
        return Pong(req_id, in_ns, out_ns)
    if got.success is None:
        raise ValueError("an answer that says neither yes nor no")
    raw = bytes(got.result)
    items: tuple[BatchVerdict, ...] = ()
    result = _NOTHING
    if raw.startswith(b"["):
        items = tuple(
            BatchVerdict(item.order_id, item.cl_ord_id, item.error) for item in _batch.decode(raw)
        )
    elif raw and raw != b"null":
        result = _result.decode(raw)
    return Reply(
        method=got.method,
        req_id=req_id,
        success=got.success,
        error=got.error or result.error,
        order_id=result.order_id,
        cl_ord_id=result.cl_ord_id,
        amend_id=result.amend_id,
        original_order_id=result.original_order_id,
        count=result.count if got.orders_cancelled is None else got.orders_cancelled,
        items=items,
        current_ns=time_ns(result.current_time),
        trigger_ns=time_ns(str(result.trigger_time)),
        channel=result.channel,
        symbol=result.symbol or got.symbol or "",
        depth=result.depth,
        interval=result.interval,
        max_rate_count=result.maxratecount or 0,
        warnings=tuple(result.warnings),
        in_ns=in_ns,
        out_ns=out_ns,
    )
