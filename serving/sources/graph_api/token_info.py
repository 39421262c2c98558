"""How long a token of Facebook Login lives."""

from datetime import UTC, datetime

from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_client import GraphClient, count_of


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
