"""The dialogue with Hyperliquid without I/O."""
