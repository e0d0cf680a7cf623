"""What can go wrong for a user, as exceptions; each text is one clear line.

`exit_code` is what the command line ends with: 1 failed, 2 wrong use or config.
"""

from crosswire import domain


class CrosswireError(Exception):
    """Base of all that crosswire raises for a user to read."""

    exit_code = 1


class UserError(CrosswireError):
    """Wrong use: an unknown name, a missing secret, a busy port, a second process."""

    exit_code = 2


class ConfigError(UserError):
    """Something in a config is wrong; `lines` has one line for each fault."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Rejected(CrosswireError):
    """The venue refused; `reason` is its own text. Or it never left us, and `reason` says why."""

    def __init__(self, reason: str, *, was_sent: bool = True) -> None:
        super().__init__(f"rejected by the venue: {reason}" if was_sent else f"not sent: {reason}")
        self.reason = reason


class Refused(CrosswireError):
    """Our own risk held it back: the rule's name and both numbers."""

    def __init__(self, refused: domain.Refused) -> None:
        super().__init__(str(refused))
        self.rule = refused.rule
        self.limit = refused.limit
        self.actual = refused.actual


class OutcomeUnknown(CrosswireError):
    """A request may have been carried out or not: no answer tells. Look before asking again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the outcome is not known: {reason}")
        self.reason = reason


class NotConnectedError(CrosswireError):
    """The venue could not be reached, or the login did not come to life in time."""
