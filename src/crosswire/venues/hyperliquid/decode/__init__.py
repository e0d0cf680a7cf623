"""Hyperliquid's bytes -> events: pure and total. Nothing here raises on what the venue sends.

For a WebSocket connection make one `websocket.Decoder` and give it every frame; it answers with a
`messages.Message`. A post's answer comes out as a `Reply`, to be matched by its number before
anything else is looked at: `exchange` reads those to actions, `info` those to questions, and
both read the same bodies by REST.
"""
