"""Hyperliquid: orders by WebSocket post, the same signed bytes by REST as the fallback."""
