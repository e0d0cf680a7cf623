"""Kraken's bytes -> events: pure and total. Nothing here raises on what the venue sends.

For a WebSocket connection, make one `Decoder` and give it every frame:

    decoder = websocket.Decoder(session="kraken", connection="public", depth=10)
    change = decoder.book_update(payload, recv_ns)      # the hot path: BookChanged or None
    message = change or decoder.frame(payload, recv_ns)  # Reply | Pong | Heartbeat |
                                                         # ChannelMessage | Unreadable

A private one keeps a `private.OrderMemory`, because the venue names symbol and side only once
per order: `Decoder(session=account, connection="private", is_private=True)`. For REST see
`rest.Rest` (account and names in, domain events out) and `rest.answer` (any call, typed).
"""
