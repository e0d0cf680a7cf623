"""Kraken's spellings of assets and pairs -> the names of its second WebSocket API.

One asset is XXBT in balances, XBT in pair names and BTC on the WebSocket. The map is learnt
from AssetPairs and Assets; nothing is derived by trimming letters (XTZ and ZEUR begin alike).
"""

from collections.abc import Mapping

from crosswire.venues.kraken.wire import RestAsset, RestAssetPair

# The two assets whose common name the venue changed between its interfaces.
_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}


class Names:
    """Spellings of pairs and assets, as far as the venue has told them."""

    def __init__(self) -> None:
        self._pairs: dict[str, str] = {}
        self._assets: dict[str, str] = dict(_RENAMED)
        self._rest: dict[str, str] = {}

    def learn_pairs(self, rows: Mapping[str, RestAssetPair]) -> None:
        """Take in AssetPairs: the key, `altname`, `wsname` and the new name of every row."""
        for key, row in rows.items():
            if not row.wsname or "/" not in row.wsname:
                continue  # dark pool rows: not tradable here
            base, quote = (_RENAMED.get(part, part) for part in row.wsname.split("/", 1))
            name = f"{base}/{quote}"
            for spelling in (key, row.altname, row.wsname, name):
                self._pairs[spelling] = name
            self._assets.setdefault(row.base, base)
            self._assets.setdefault(row.quote, quote)
            self._rest[name] = row.altname

    def learn_assets(self, rows: Mapping[str, RestAsset]) -> None:
        """Take in Assets: covers what balances name and no pair trades."""
        for key, row in rows.items():
            self._assets[key] = _RENAMED.get(row.altname, row.altname)

    def pair(self, spelling: str) -> str:
        """Return the v2 name of a pair (BTC/USD for XXBTZUSD); unknown ones unchanged."""
        known = self._pairs.get(spelling)
        if known is None and "/" in spelling:
            base, quote = spelling.split("/", 1)
            known = f"{_RENAMED.get(base, base)}/{_RENAMED.get(quote, quote)}"
        return spelling if known is None else known

    def asset(self, spelling: str) -> str:
        """Return the v2 name of an asset (BTC for XXBT); unknown ones unchanged (ETH2.S)."""
        return self._assets.get(spelling, spelling)

    def rest_pair(self, name: str) -> str:
        """Return how REST wants a pair named (XBTUSD for BTC/USD); v2 names pass as well."""
        return self._rest.get(name, name)
