"""Commands -> bytes, pure: WebSocket frames, REST bodies, and what may be said in them."""
