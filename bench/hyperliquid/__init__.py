"""What Hyperliquid costs: an order signed, a book read, a tick answered, a request carried."""
