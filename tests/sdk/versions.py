"""The SDKs' versions that the cases and the benchmarks were written against."""

PYTHON_KRAKEN_SDK = "python-kraken-sdk==3.5.1"
CCXT = "ccxt==4.5.90"
