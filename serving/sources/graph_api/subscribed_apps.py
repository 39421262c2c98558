"""Which apps Meta calls for an account."""

from collections.abc import Mapping, Sequence
from typing import Any


def is_among(apps: Sequence[Mapping[str, Any]], app_id: str | None, wanted: set[str]) -> bool:
    """Whether an app is among those that are subscribed, with the fields that are wanted."""
    for app in apps:
        fields = app.get("subscribed_fields")
        is_ours = app_id is None or str(app.get("id", app_id)) == app_id
        if is_ours and (not isinstance(fields, list) or wanted <= {str(one) for one in fields}):
            return True
    return False
