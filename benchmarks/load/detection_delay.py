"""The delay of detection: from the sending of a comment to the commit of its minute.

The step that stores the score of a comment also commits its minute, its KOL's mood and its alerts.
So a comment whose score can be read is detected. It is read from the API, as a user would: under
load the measured delay contains that of the answer.
"""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import httpx

_FIRST_PAUSE = 0.02  # seconds between two looks, and …
_GROWTH = 0.1  # … of the time so far, once that is more


async def until_scored(http: httpx.AsyncClient, comment: Mapping[str, Any], since: float) -> float:
    """Seconds from an instant until the score of an acknowledged comment can be read.

    Args:
        http: a client of the service.
        comment: as it was sent.
        since: the instant, of `perf_counter`.
    """
    path = f"/v1/comments/{comment['platform']}/{comment['comment_id']}"
    while True:
        answer = await http.get(path)
        if answer.is_success:
            (found,) = answer.json()["items"]
            if found["negative"] is not None:
                return perf_counter() - since
        await asyncio.sleep(max(_FIRST_PAUSE, _GROWTH * (perf_counter() - since)))
