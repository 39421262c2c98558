"""The receipts of several requests as one."""

from collections import Counter
from itertools import islice

import msgspec

from groundswell_client.models.comments import CommentReceipt, SubmissionReceipt

_MOST_ITEMS = 1000


class SubmissionTotal:
    """Adds up the receipts of batches that were sent one after the other."""

    def __init__(self) -> None:
        self._sent = 0
        self._counts: Counter[str] = Counter()
        self._adjustments: Counter[str] = Counter()
        self._items: list[CommentReceipt] = []

    def add(self, receipt: SubmissionReceipt, sent: int) -> SubmissionReceipt:
        """Add the receipt of a batch of so many comments.

        Returns:
            The receipt with items whose index counts from the first comment of all.
        """
        items = tuple(
            msgspec.structs.replace(item, index=item.index + self._sent) for item in receipt.items
        )
        self._sent += sent
        for name in ("accepted", "updated", "duplicates", "rejected"):
            self._counts[name] += getattr(receipt, name)
        self._adjustments.update(receipt.adjustments)
        rejected = (item for item in items if item.error is not None)
        self._items += islice(rejected, _MOST_ITEMS - len(self._items))
        return msgspec.structs.replace(receipt, items=items)

    @property
    def receipt(self) -> SubmissionReceipt:
        """All receipts as one, with the first rejected comments as its items."""
        return SubmissionReceipt(
            accepted=self._counts["accepted"],
            updated=self._counts["updated"],
            duplicates=self._counts["duplicates"],
            rejected=self._counts["rejected"],
            adjustments=dict(self._adjustments),
            items=tuple(self._items),
        )
