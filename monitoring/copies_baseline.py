"""What is normal for one KOL: the share of comments that nearly repeat another."""

import msgspec

RHO = 1 / 40  # correlation of the copies within an hour: a text that is repeated is repeated often
_PRIOR_SHARE = 0.03
_PRIOR_WEIGHT = 4.0  # effective comments
_KEEP = 0.5 ** (1 / (14 * 24))  # of what was learnt, after an hour: it halves in 14 days
_KNOWN_HOURS = 24  # with comments …
_KNOWN_WEIGHT = 10.0  # … and effective comments, from which anything is judged by it
_LEAST, _MOST = 0.005, 0.9


class CopiesBaseline(msgspec.Struct, array_like=True):
    """Mean share of near-copies, exponentially weighted.

    An hour of n comments weighs n / (1 + (n - 1) rho), the effective number of comments that
    resemble each other, so that one hour of many comments, an undetected flood for example,
    teaches little.

    Attributes:
        hour: the last hour learnt, since 1970 UTC.
        hours: how many were learnt.
        weight: effective comments learnt.
        copies: effective copies learnt.
    """

    hour: int = 0
    hours: int = 0
    weight: float = 0.0
    copies: float = 0.0

    def learn_hour(self, hour: int, n: int, copies: float) -> None:
        """Take one closed hour.

        Args:
            hour: since 1970 UTC; after every one before.
            n: comments in it of which it is known whether they are copies, at least one.
            copies: those that are.
        """
        keep = _KEEP ** (hour - self.hour)
        weight = n / (1 + (n - 1) * RHO)
        self.hour = hour
        self.hours += 1
        self.weight = self.weight * keep + weight
        self.copies = self.copies * keep + weight * copies / n

    def rebase(self, share: float) -> None:
        """Take `share` as the normal one: a flood lasted so long that it is normal now."""
        self.copies = share * self.weight

    @property
    def known(self) -> bool:
        """Whether enough has been learnt for anything to be judged by it."""
        return self.hours >= _KNOWN_HOURS and self.weight >= _KNOWN_WEIGHT

    @property
    def share(self) -> float:
        """The normal share, in (0, 1)."""
        mean = (self.copies + _PRIOR_SHARE * _PRIOR_WEIGHT) / (self.weight + _PRIOR_WEIGHT)
        return min(max(mean, _LEAST), _MOST)

    @property
    def doubt(self) -> float:
        """Correlation of a stretch's copies, with the doubt about the normal share added."""
        return RHO + 1 / (self.weight + _PRIOR_WEIGHT)
