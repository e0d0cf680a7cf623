"""Chance that can be looked up: every draw is a function of a seed and of where it is drawn.

A generator's n-th number depends on all draws before it, so two simulations that step
differently drift apart. Here each draw is named instead (this seed, this instrument, this
moment), and asking in another order, or not at all, changes nothing. The mixing is splitmix64.
"""

from math import isqrt
from zlib import crc32

from crosswire.fixed import SCALE

MASK = (1 << 64) - 1
NS = 1_000_000_000


def mix(*words: int) -> int:
    """Return 64 well-mixed bits of some integers."""
    state = 0
    for word in words:
        state = (state + word + 0x9E3779B97F4A7C15) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        state ^= state >> 31
    return state


def word(name: str) -> int:
    """Return the integer that stands for a name in `mix`."""
    return crc32(name.encode())


class Draws:
    """The draws of one place: a short sequence that starts afresh for every place."""

    __slots__ = ("_count", "_start")

    def __init__(self, *place: int) -> None:
        self._start = mix(mix(*place))  # what the first word of each draw comes to
        self._count = 0

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound)."""
        self._count += 1
        state = (self._start + self._count + 0x9E3779B97F4A7C15) & MASK  # `mix`, written out
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        return (state ^ (state >> 31)) % bound

    def between(self, low: int, high: int) -> int:
        """Return an integer in [low, high]."""
        return low + self.below(high - low + 1)

    def fraction(self) -> float:
        """Return a float in [0, 1)."""
        return self.below(1 << 53) / (1 << 53)


class Drift:
    """A wandering number, known for every moment without walking there.

    It is a sum of smooth noises whose periods double: over any time between the shortest and
    the longest it spreads like a random walk of `volatility` per square root of a second; beyond
    the longest it comes back, so that days of virtual time end at sane prices.
    """

    def __init__(self, seed: int, name: str, volatility: int, *, first_ns: int, count: int) -> None:
        """`volatility` at 10^-10; periods first_ns, 2 first_ns, ... (`count` of them)."""
        self._seed = mix(seed, word(name))
        self._first_ns = first_ns
        # 3/4 makes the sum's spread over a time come out as `volatility` * sqrt(time).
        root = isqrt(NS * SCALE)
        self._sizes = [
            volatility * isqrt((first_ns << octave) * SCALE) * 3 // (4 * root)
            for octave in range(count)
        ]
        self._cell = -1  # of the shortest period; the longer ones' cells begin with such a one
        self._lines: list[tuple[int, int, int, int]] = []  # cell, base, slope, scale

    @property
    def bound(self) -> int:
        """The furthest it ever gets from 0."""
        return sum(self._sizes)

    def at(self, time_ns: int) -> int:
        """Return the displacement at a moment, in the unit of the volatility."""
        cell = time_ns // self._first_ns
        if cell != self._cell:
            self._step(cell)
        total = 0
        for _, base, slope, scale in self._lines:
            total += (base + slope * time_ns) // scale
        return total

    def _step(self, cell: int) -> None:
        """Go to a cell of the shortest period: the longer periods' lines are mostly the same."""
        known, self._cell = self._lines, cell
        self._lines = []
        for octave, size in enumerate(self._sizes):
            mine = cell >> octave
            if known and known[octave][0] == mine:
                self._lines.append(known[octave])
                continue
            left, right = self._corner(octave, mine), self._corner(octave, mine + 1)
            period = self._first_ns << octave
            # From corner to corner: left * (period - inside) + right * inside, over the period.
            slope = size * (right - left)
            base = size * left * period - slope * mine * period
            self._lines.append((mine, base, slope, period << 32))

    def _corner(self, octave: int, cell: int) -> int:
        """A value in [-2^32, 2^32), the same whoever asks."""
        return (mix(self._seed, octave, cell) >> 31) - (1 << 32)
