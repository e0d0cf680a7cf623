"""What all messages share: numbers are decimal text, times are ms, ids are whole numbers."""

# Documented, sent, not read: any JSON passes.
Ignored = object
# Decimal text such as "113377.0"; it may carry float noise where the venue computed it.
Number = str
Milliseconds = int
# Of candles, in seconds; a month counts 30 days.
INTERVALS_S = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200, "4h": 14400,
    "8h": 28800, "12h": 43200, "1d": 86400, "3d": 259200, "1w": 604800, "1M": 2592000,
}  # fmt: skip
