"""A folder that another tool writes exports into."""

import csv
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from serving.sources.faults import FaultKind
from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

_COLUMNS = (
    "comment_id", "text", "created_at", "author_id", "post_id", "likes", "edited_at", "deleted",
)  # fmt: skip


class ExportFolder(FakePlatform):
    """Each publication is one CSV file.

    Attributes:
        path: of the folder.
    """

    type = "folder"
    documented = ("docs/importing.md (2026-12-01)",)
    kinds: ClassVar[Mapping[Refusal, FaultKind]] = {}
    asks = False
    edits = removals = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.path = Path(tempfile.mkdtemp(prefix="groundswell-exports-"))
        self._files = 0

    def end(self) -> None:
        super().end()
        shutil.rmtree(self.path)

    def settings(self) -> dict[str, Any]:
        return {"path": str(self.path)}

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        self._files += 1
        rows = [
            {**{name: getattr(one, name, "") for name in _COLUMNS}, "deleted": one.removed or ""}
            for one in comments
        ]
        self.export(f"export-{self._files}.csv", rows)

    def export(self, name: str, rows: list[dict[str, Any]]) -> Path:
        """Write a file with rows."""
        file = self.path / name
        with file.open("w", encoding="utf-8", newline="") as written:
            writer = csv.DictWriter(written, _COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return self.settled(file)

    def settled_bytes(self, name: str, content: bytes) -> Path:
        """Write a file as it is."""
        file = self.path / name
        file.write_bytes(content)
        return self.settled(file)

    def settled(self, file: Path) -> Path:
        """Let a file have been changed a minute ago, each a moment after the one before."""
        at = self.clock.now().timestamp() - 60 + self._files * 0.001
        os.utime(file, (at, at))
        return file


FAKE = ExportFolder
