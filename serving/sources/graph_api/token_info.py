"""How long tokens live."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_client import GraphClient, count_of, text_of
from serving.sources.graph_api.graph_records import NewToken


async def token_end(client: GraphClient, version: str, token: str) -> datetime | None:
    """When a token, or the access that it gives to data, ends; None for never.

    Raises:
        SourceFault: Meta cannot be asked now.
    """
    body = await client.get(f"/{version}/debug_token", token, {"input_token": token})
    data = body.get("data")
    if not isinstance(data, dict):
        raise BadAnswer("Meta answered nothing about the token")
    ends = [count_of(data, name) for name in ("expires_at", "data_access_expires_at")]
    return min((datetime.fromtimestamp(one, UTC) for one in ends if one), default=None)


def new_token_of(body: Mapping[str, Any]) -> NewToken:
    """The answer to a renewal."""
    seconds = count_of(body, "expires_in")
    if seconds is None:
        raise BadAnswer("Meta renewed a token without saying how long it lives")
    return NewToken(text_of(body, "access_token"), float(seconds))
