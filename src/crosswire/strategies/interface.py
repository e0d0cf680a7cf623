"""The strategy's side of the engine: what it must have, and what it may have."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from crosswire.domain import Filled, Targets
from crosswire.view import Order, View


@runtime_checkable
class Strategy(Protocol):
    """The whole of what a strategy must have.

    `on_fill(view, fill)`, `on_order(view, order)` and `on_timer(view)` are called where it has
    them; they return `Targets` too.
    """

    @property
    def instruments(self) -> Sequence[str]: ...

    def on_update(self, view: View) -> Targets: ...


class OnFill(Protocol):
    """A strategy that wants to hear of its fills."""

    def on_fill(self, view: View, fill: Filled) -> Targets: ...


class OnOrder(Protocol):
    """A strategy that wants to hear of changes of its orders."""

    def on_order(self, view: View, order: Order) -> Targets: ...


class OnTimer(Protocol):
    """A strategy that wants to be called once a second."""

    def on_timer(self, view: View) -> Targets: ...
