"""Ids that a spreadsheet has rounded to 15 digits, seen over a whole file.

1990123456789012345 becomes 1990123456789010000, which is an id like any other. Among the ids of a
file such zeros are no accident.
"""

import re

_LONG = re.compile(r"\d{16,}")
_DIGITS = 15  # that a spreadsheet keeps
_LEAST, _CERTAIN, _SHARE, _EXACT = 3, 6, 0.9, 0.6


class RoundedIds:
    """Counts the long numeric ids of a file, and those that end in zeros where digits were cut."""

    def __init__(self) -> None:
        self._long = self._rounded = self._exactly = 0
        self._evidence = 0  # digits that are zero

    def add(self, comment_id: str) -> bool:
        """Count an id; returns whether it looks rounded."""
        if len(comment_id) <= _DIGITS or not _LONG.fullmatch(comment_id):
            return False
        self._long += 1
        cut = len(comment_id) - _DIGITS
        zeros = len(comment_id) - len(comment_id.rstrip("0"))
        if zeros < cut:
            return False
        self._rounded += 1
        self._exactly += zeros == cut
        self._evidence += cut
        return True

    @property
    def certain(self) -> bool:
        """Whether the ids that look rounded are: nearly all of the long ones do, and more of them
        than by accident. Numbers that are round by themselves end in more zeros than were cut.
        """
        return (
            self._rounded >= _LEAST
            and self._evidence >= _CERTAIN
            and self._rounded >= _SHARE * self._long
            and self._exactly >= _EXACT * self._rounded
        )
