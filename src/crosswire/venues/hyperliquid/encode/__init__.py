"""Commands -> canonical actions and signed bodies, pure. See `actions`, `envelope`, `info`."""
