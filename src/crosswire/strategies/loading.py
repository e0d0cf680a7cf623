"""Strategies by name: a built-in's, or "module:Class" of the user's own."""

import inspect
from collections.abc import Mapping
from importlib import import_module

from crosswire.strategies.interface import Strategy

BUILT_IN = {"market_making": "crosswire.strategies.market_making:MarketMaking"}


def load(name: str, parameters: Mapping[str, object]) -> Strategy:
    """Return the strategy `name` made with its parameters.

    `ValueError` in one line if the name, the class or a parameter is wrong.
    """
    if name not in BUILT_IN and ":" not in name:
        known = ", ".join(sorted(BUILT_IN))
        raise ValueError(f'no strategy "{name}": expected one of {known}, or "module:Class"')
    module_name, _, class_name = BUILT_IN.get(name, name).partition(":")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise ValueError(f'strategy "{name}": {error}') from None
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        raise ValueError(f'strategy "{name}": module {module_name} has no class {class_name}')
    try:
        inspect.signature(found).bind(**parameters)
    except TypeError as error:
        raise ValueError(f'strategy "{name}": {error}') from None
    try:
        made = found(**parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f'strategy "{name}": {error}') from None
    if isinstance(made, Strategy):
        return made
    raise ValueError(f'strategy "{name}": expected `instruments` and `on_update(view)`')
