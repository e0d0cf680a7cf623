"""What one audience of the book has been shown, and what changed since.

A view of depth N keeps the N best levels a side as its clients hold them: levels pushed out of
range are dropped silently (clients truncate), levels that come into range are told.
"""

from crosswire.domain import Level
from crosswire.sim.matching.half import Half


class DepthView:
    """The N best levels a side; made by `MatchingEngine.view(depth)`."""

    def __init__(self, bids: Half, asks: Half, depth: int) -> None:
        self.depth = depth
        self._sides = (_ViewedHalf(bids, depth), _ViewedHalf(asks, depth))

    def snapshot(self) -> tuple[list[Level], list[Level]]:
        """The levels now, best first, as the last `changes` left them."""
        bids, asks = self._sides
        return bids.shown(), asks.shown()

    def changes(self) -> tuple[list[Level], list[Level]]:
        """(bids, asks) that changed since the last call: absolute quantities, 0 = removed.

        Call it before `snapshot` if both are to speak of the same moment.
        """
        bids, asks = self._sides
        return bids.changes(), asks.changes()


class _ViewedHalf:
    def __init__(self, half: Half, depth: int) -> None:
        self._half = half
        self._depth = depth
        self._touched: set[int] = set()
        self._sent: dict[int, int] = {}  # key -> quantity, as the audience holds it
        half.watchers.append(self._touched)
        self._touched.update(half.keys)

    def shown(self) -> list[Level]:
        sign = self._half.sign
        return [(key * sign, self._sent[key]) for key in sorted(self._sent, reverse=True)]

    def changes(self) -> list[Level]:
        if not self._touched:
            return []
        half, sent = self._half, self._sent
        in_range = half.keys[-self._depth :]
        bound = in_range[0] if in_range else 0
        changed: list[Level] = []
        levels = half.levels
        for key in sorted(self._touched, reverse=True):
            level = levels.get(key)
            if level is None or not level.is_listed:
                if sent.pop(key, 0):
                    changed.append((key * half.sign, 0))
            elif key >= bound:
                visible = level.own + level.recorded - level.consumed
                if sent.get(key) != visible:
                    sent[key] = visible
                    changed.append((level.price, visible))
        self._touched.clear()
        if len(sent) < len(in_range):
            changed += self._came_into_range(in_range)
        if len(sent) > self._depth:
            for key in [key for key in sent if key < bound]:
                del sent[key]
        return changed

    def _came_into_range(self, in_range: list[int]) -> list[Level]:
        half, sent = self._half, self._sent
        came: list[Level] = []
        for key in in_range:
            if key not in sent:
                level = half.levels[key]
                sent[key] = level.visible
                came.append((level.price, level.visible))
        return came
