"""schemathesis against the OpenAPI document, on a service that holds a bit of everything, with keys
of each scope, a limited one, and none: no 500, no answer that the document does not name, nothing
above the scope of a key, and every operation is also seen to succeed.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serving.access.conftest import bearer
from tests.serving.access.route_table import RULES as ACCESS_RULES
from tests.serving.processes import service
from tests.serving.streams import storm, wait_until_processed
from tests.serving.test_documents import GOLDEN

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CHANNELS = """
[channels.crm]
type = "webhook"
url = "http://127.0.0.1:9/nobody-listens"
secret_env = "CRM_SECRET"

[channels.desk]
type = "email"
url = "smtp://127.0.0.1:9"
from = "alerts@example.com"
to = ["pr@example.com"]

[brands]
acme = ["lena"]

[digests.daily]
every = ["day", "week"]
channels = ["desk"]

[[routes]]
min_severity = "info"
channels = ["crm"]
"""


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context: object, value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


# The stream is endless; test_service_api.py listens to it.
schema = schemathesis.openapi.from_path(GOLDEN).exclude(path="/v1/stream")
schema.config.generation.with_security_parameters = False  # the keys are ours
RULES = {route.replace(":path", ""): rule for route, rule in ACCESS_RULES.items()}
NO_KEY, LIMITED = "no key", "limited"
WHO = ["admin", "admin", "ingest", "read", "act", "manage", LIMITED, NO_KEY]
keys: dict[str, dict[str, str]] = {NO_KEY: {}}  # headers by who asks
OPERATIONS = {found.ok().label: found.ok() for found in schema.get_all_operations()}
ORDER = sorted(OPERATIONS, key=lambda label: label.startswith("DELETE") or "revoke" in label)
held: dict[str, Any] = {}  # ids of what the service holds, by the name of their path parameter
answered: Counter[tuple[str, bool]] = Counter()  # operation and whether it succeeded


@schema.hook("flatmap_path_parameters")
def mostly_of_something_there(
    context: schemathesis.HookContext, parameters: dict[str, Any] | None
) -> st.SearchStrategy[dict[str, Any] | None]:
    merges = context.operation.label.endswith("merge")  # no other finds its KOL merged
    known = held | ({"kol_id": "zoe"} if merges else {})
    there = parameters and {name: known.get(name, value) for name, value in parameters.items()}
    return st.sampled_from([there, there, parameters])


def past(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


# What makes the body of an operation a valid one: values at random hardly ever do.
VALID: dict[str, Callable[[], dict[str, Any]]] = {
    "POST /v1/silences": lambda: {"starts_at": None, "ends_at": past(-24), "kols": ["lena"]},
    "POST /v1/comments": lambda: {
        "platform": "x",
        "comment_id": "1",
        "kol_id": "lena",
        "text": "love it",
        "created_at": past(1),
    },
    "POST /v1/posts": lambda: {
        "platform": "x",
        "post_id": "p",
        "kols": ["lena"],
        "url": None,
        "created_at": past(1),
        "counts": None,
    },
    "POST /v1/kols/{kol_id}/rename": lambda: {"new_id": "lena-park"},
    "PATCH /v1/people/{person}": lambda: {"name": "Mai Tran", "role": "viewer", "brands": ["acme"]},
    "PATCH /v1/sources/{source_id}": lambda: {"name": "Fans", "kol_id": None, "settings": None},
    "POST /v1/kols/{kol_id}/merge": lambda: {"into": "mina"},
}


@schema.hook("flatmap_body")
def often_a_valid_one(context: schemathesis.HookContext, body: Any) -> st.SearchStrategy[Any]:
    valid = VALID.get(context.operation.label)
    if valid is None or not isinstance(body, dict):
        return st.just(body)
    return st.sampled_from([body | valid(), body])


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("schema")
    (folder / "channels.toml").write_text(CHANNELS)
    env = {
        "GROUNDSWELL_CHANNELS": str(folder / "channels.toml"),
        "CRM_SECRET": "sixteen-characters",
        "GROUNDSWELL_ACCESS": "keys",
        "GROUNDSWELL_SOURCE_KEY_FILE": str(folder / "source.key"),
        "GROUNDSWELL_KEY_REQUESTS_PER_MINUTE": "1000000",
    }
    with service(folder / "schema.db", env=env) as (_, client):
        keys["admin"] = bearer((folder / "groundswell-admin.key").read_text().strip())
        client.headers.update(keys["admin"])
        fill(client)
        yield str(client.base_url)


def fill(client: httpx.Client) -> None:
    """A storm of two days with its alert, what people did to it, and the notifications of it."""

    def post(path: str, body: Any) -> Any:
        answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    now = datetime.now(UTC)
    client.put("/v1/kols/lena", json={"name": "Lena Vane"})
    client.put("/v1/kols/mina", json={})
    client.put("/v1/kols/zoe", json={})
    client.put("/v1/brands/acme", json={"kols": ["lena"]})
    post("/v1/posts", {"platform": "instagram", "post_id": "post-1", "kols": ["lena"]})
    items = storm("lena", now - timedelta(hours=31))
    for first in range(0, len(items), 500):
        post("/v1/comments", items[first : first + 500])
    wait_until_processed(client)
    alert_id = client.get("/v1/alerts").json()["items"][0]["alert_id"]
    for verb in ("acknowledge", "note", "false_alarm", "reopen"):
        post(f"/v1/alerts/{alert_id}/actions", {"action": verb, "actor": "mai", "text": "seen"})
    span = {"kinds": ["brigade"], "ends_at": (now + timedelta(days=1)).isoformat()}
    silence = post("/v1/silences", span | {"reason": "planned giveaway", "actor": "mai"})
    client.put("/v1/kols/lena/policy", json={"actor": "mai", "sensitivity": 2.0})
    imported = post_file(client, b"text,id\nno zone,1\n")
    deliveries = client.get("/v1/deliveries").json()["items"]
    assert {row["reason"] for row in deliveries} >= {"opened", "resolved"}
    for who in ("ingest", "read", "act", "manage", LIMITED, "spare"):
        limited = {"scopes": ["ingest", "read", "act", "manage"], "kols": ["mina"]}
        body = limited if who == LIMITED else {"scopes": ["read" if who == "spare" else who]}
        made = post("/v1/keys", {"name": who} | body)
        keys[who] = bearer(made["key"])
    person = {"email": "mai@example.com", "name": "Mai Tran", "role": "viewer"}
    secret = {"platform": "forum", "secret": "b7e6c1f0a9d84e52b7e6c1f0a9d84e52"}
    source = {"type": "webhook", "name": "Forum", "settings": secret}
    held.update(
        source_id=post("/v1/sources", source)["source_id"],
        person=post("/v1/people", person)["person_id"],
        key_id=made["key_id"],
        brand="acme",
        author_id="author-1",
        kol_id="lena",
        platform="instagram",
        comment_id=items[0]["comment_id"],
        post_id="post-1",
        import_id=imported,
        name="daily",
        alert_id=alert_id,
        silence_id=silence["silence_id"],
        delivery_id=deliveries[0]["delivery_id"],
    )


def post_file(client: httpx.Client, content: bytes) -> int:
    """The id of an import."""
    import_id: int = client.post(
        "/v1/imports", content=content, headers={"content-type": "text/csv"}
    ).json()["import_id"]
    return import_id


@pytest.mark.slow
@pytest.mark.parametrize("label", ORDER)  # schema.parametrize() gives all of them one id
def test_every_answer_is_documented(label: str, base_url: str) -> None:
    @settings(
        max_examples=24,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(), who=st.sampled_from(WHO))
    def hold(case: schemathesis.Case, who: str) -> None:
        answer = case.call_and_validate(base_url=base_url, checks=CHECKS, headers=keys[who])
        answered[label, answer.status_code < 300] += 1
        if RULES[label] == "anybody":
            return
        scopes, _, every_kol = RULES[label].partition(", ")
        if who == NO_KEY:
            assert answer.status_code == 401
        elif who == LIMITED:
            refused = bool(every_kol) or scopes == "admin"
            assert answer.status_code == 403 or not refused
        elif who not in (*scopes.split(" or "), "admin"):
            assert answer.status_code == 403
        else:
            assert answer.status_code not in (401, 403)

    hold()


@pytest.mark.slow
def test_every_operation_was_also_seen_to_succeed() -> None:
    tried = {operation for operation, _ in answered}
    assert tried <= {operation for operation, succeeded in answered if succeeded}
