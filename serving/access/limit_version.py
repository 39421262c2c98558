"""Counts the changes of which KOLs principals may see."""


class LimitVersion:
    """Whoever changes a brand, a limit or the id of a KOL adds one.

    An answer that lasts, to a principal that is limited to some KOLs, ends at the next part after
    that; who reconnects gets the new limit.
    """

    def __init__(self) -> None:
        self.number = 0

    def add(self) -> None:
        """Note a change."""
        self.number += 1
