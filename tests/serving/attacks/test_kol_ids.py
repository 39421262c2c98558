"""Ids of KOLs that would break addresses, terminals or the order of what people read."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

Item = Callable[..., dict[str, Any]]
HOSTILE = {
    "slash": "lena/../../v1/keys",
    "control": "lena\u009b2Jpark",
    "bidi": "lena\u202ekrap",
    "newline": "lena\npark",
}


@pytest.mark.parametrize("kol_id", HOSTILE.values(), ids=HOSTILE)
def test_a_kol_id_with_a_slash_u009b_or_u202e(client: TestClient, item: Item, kol_id: str) -> None:
    path = f"/v1/kols/{quote(kol_id, safe='')}"
    sent = client.post("/v1/comments", json=item(kol_id=kol_id))
    assert sent.status_code == 422
    assert sent.json()["items"][0]["error"]["code"] in {"bad_kol_id", "bad_characters"}
    answers = [
        sent,
        client.put(path, json={"name": "Lena"}),
        client.get(path),
        client.put(f"{path}/policy", json={"actor": "mai"}),
        client.post("/v1/silences", json={"kol_id": kol_id, "actor": "mai", "reason": "x"}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500
        assert not set(answer.json()["detail"]) & {"\u009b", "\u202e", "\n"}
    assert client.get("/v1/kols").json()["items"] == []
