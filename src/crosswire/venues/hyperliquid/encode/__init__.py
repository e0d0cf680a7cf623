"""Commands -> canonical actions and signed bodies, pure. See `commands`, `actions`, `info`."""
