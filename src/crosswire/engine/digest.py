"""A hash of the state that must survive a crash: equal states give equal text.

Ended orders are left out, because when they are forgotten depends on the clock; books are left
out, because they are the venue's and come anew.
"""

from hashlib import blake2b

from crosswire.orders import Orders
from crosswire.positions import Positions
from crosswire.risk import Risk


def digest(orders: Orders, positions: Positions, risk: Risk) -> str:
    """Return 32 hex digits over open orders, positions, balances, halts and switches."""
    parts: list[object] = [repr(order) for order in orders.all_open()]
    parts += positions.items()
    parts += positions.balances.items()
    parts += [(name, sorted(halts)) for name, halts in risk.halted.items() if halts]
    parts += risk.killed.items()
    parts += risk.armed_ns.items()
    parts += orders.externals.values()
    lines = sorted(repr(part) for part in parts)
    return blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
