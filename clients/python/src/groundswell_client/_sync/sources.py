"""Sources: what brings comments by itself."""

from collections.abc import Mapping

from groundswell_client._sync.connection import Connection, checked
from groundswell_client._sync.listing import Listing
from groundswell_client.models.sources import (
    OutageInfo,
    SourceInfo,
    SourcePreviewInfo,
    SourceTypeInfo,
)
from groundswell_client.values import given, part


class Sources:
    """`client.sources`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def types(self) -> Listing[SourceTypeInfo]:
        """The types of source there are, by name, with the settings that each asks for."""
        return Listing(self._connection, "/source-types", SourceTypeInfo, paged=False)

    def list(self) -> Listing[SourceInfo]:
        """The sources by name."""
        return Listing(self._connection, "/sources", SourceInfo, paged=False)

    def get(self, source_id: str) -> SourceInfo:
        """One source."""
        return self._connection.get(f"/sources/{part(source_id)}", SourceInfo)

    def preview(
        self, source_type: str, name: str, settings: Mapping[str, object], *, kol_id: str | None
    ) -> SourcePreviewInfo:
        """Ask the platform what a source would bring; nothing is stored.

        Args:
            source_type: of `types`.
            name: what people call it.
            settings: of its type, secrets too.
            kol_id: whose comments it brings; None if its comments say it.
        """
        body = _body(source_type, name, settings, kol_id)
        return self._connection.send("POST", "/sources/preview", SourcePreviewInfo, body)

    def add(
        self, source_type: str, name: str, settings: Mapping[str, object], *, kol_id: str | None
    ) -> SourceInfo:
        """Add a source; it starts at once. Arguments as of `preview`."""
        body = _body(source_type, name, settings, kol_id)
        return self._connection.send("POST", "/sources", SourceInfo, body)

    def change(self, source_id: str, changes: Mapping[str, object]) -> SourceInfo:
        """Change `name`, `kol_id` or some `settings`; a setting of None is taken away."""
        return self._connection.send("PATCH", f"/sources/{part(source_id)}", SourceInfo, changes)

    def test(self, source_id: str) -> SourcePreviewInfo:
        """Ask the platform whether a source works, and what it brings."""
        return self._connection.send("POST", f"/sources/{part(source_id)}/test", SourcePreviewInfo)

    def pause(self, source_id: str) -> SourceInfo:
        """Stop a source until it is resumed."""
        return self._connection.send("POST", f"/sources/{part(source_id)}/pause", SourceInfo)

    def resume(self, source_id: str) -> SourceInfo:
        """Start a source again, from where it was."""
        return self._connection.send("POST", f"/sources/{part(source_id)}/resume", SourceInfo)

    def remove(self, source_id: str) -> None:
        """Remove a source; what it brought stays."""
        checked(self._connection.change("DELETE", f"/sources/{part(source_id)}"))

    def outages(
        self, *, open_only: bool | None = None, limit: int | None = None
    ) -> Listing[OutageInfo]:
        """Times in which sources saw nothing, last noticed first."""
        query = {"open": open_only}
        return Listing(self._connection, "/outages", OutageInfo, query, limit=limit)


def _body(
    source_type: str, name: str, settings: Mapping[str, object], kol_id: str | None
) -> dict[str, object]:
    return given({"type": source_type, "name": name, "settings": settings, "kol_id": kol_id})
