"""The SDKs' versions that the cases and the benchmarks were written against."""

PYTHON_KRAKEN_SDK = "python-kraken-sdk==3.5.1"
HYPERLIQUID_SDK = "hyperliquid-python-sdk==0.24.0"
COINCURVE = "coincurve==21.0.0"  # makes the one above sign in C
CCXT = "ccxt==4.5.90"
