"""Command -> Approved | Refused: every order passes here, and only here becomes sendable."""

from crosswire.risk.breakers import BreakerRules, Breakers, Routes
from crosswire.risk.exposure import Exposure
from crosswire.risk.gate import BPS, AccountRules, Limits, Risk
from crosswire.risk.losses import Losses

__all__ = [
    "BPS",
    "AccountRules",
    "BreakerRules",
    "Breakers",
    "Exposure",
    "Limits",
    "Losses",
    "Risk",
    "Routes",
]
