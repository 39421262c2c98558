"""The records of the client against the API's schema: every field, and no other."""

import dataclasses
import json
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from groundswell_client.models import (
    alerts,
    brands,
    comments,
    deliveries,
    digests,
    erasures,
    evidence,
    feedback,
    imports,
    kols,
    posts,
    routing,
    silences,
    status,
)
from monitoring.audience import Audience
from monitoring.drivers import Drivers, PostDriver, Sample
from monitoring.evidence import DetectorScore, Evidence
from monitoring.terms import Term

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
ANSWERS: list[tuple[str, str, type[msgspec.Struct]]] = [
    ("GET", "/v1/alerts", alerts.AlertInfo),
    ("GET", "/v1/alerts/{alert_id}", alerts.AlertDetailInfo),
    ("POST", "/v1/alerts/{alert_id}/actions", alerts.ActionResult),
    ("POST", "/v1/comments", comments.SubmissionReceipt),
    ("GET", "/v1/comments/{platform}/{comment_id}", comments.CommentHistoryInfo),
    ("POST", "/v1/score", comments.ScoresInfo),
    ("GET", "/v1/deliveries", deliveries.DeliveryInfo),
    ("POST", "/v1/deliveries/{delivery_id}/resend", deliveries.DeliveryInfo),
    ("GET", "/v1/kols/{kol_id}/comments", comments.ListedCommentInfo),
    ("GET", "/v1/brands", brands.BrandInfo),
    ("PUT", "/v1/brands/{brand}", brands.BrandInfo),
    ("POST", "/v1/imports", imports.ImportInfo),
    ("GET", "/v1/imports", imports.ImportInfo),
    ("GET", "/v1/imports/{import_id}", imports.ImportDetailInfo),
    ("DELETE", "/v1/kols/{kol_id}", erasures.ErasureInfo),
    ("DELETE", "/v1/authors/{author_id}", erasures.ErasureInfo),
    ("GET", "/v1/digest", digests.DigestInfo),
    ("POST", "/v1/digests/{name}/send", digests.SentDigestInfo),
    ("GET", "/v1/feedback", feedback.FeedbackInfo),
    ("GET", "/v1/kols", kols.KolInfo),
    ("GET", "/v1/kols/{kol_id}/mood", kols.MoodInfo),
    ("GET", "/v1/kols/{kol_id}/policy", kols.PolicyInfo),
    ("GET", "/v1/kols/{kol_id}/followers", kols.FollowerCountInfo),
    ("GET", "/v1/kols/{kol_id}/posts", posts.PostInfo),
    ("POST", "/v1/posts", posts.PostSubmission),
    ("GET", "/v1/posts/{platform}/{post_id}", posts.PostDetailInfo),
    ("GET", "/v1/routing", routing.RoutingInfo),
    ("GET", "/v1/silences", silences.SilenceInfo),
    ("GET", "/v1/status", status.ServiceStatus),
]
BODIES: list[tuple[str, str, type[msgspec.Struct]]] = [
    ("PUT", "/v1/kols/{kol_id}", kols.KolProfile),
    ("POST", "/v1/silences", silences.SilenceRequest),
]
# The API leaves the inside of the evidence open; it is what monitoring writes.
OPEN = {evidence.EvidenceInfo}
RECORDS: list[tuple[type, type[msgspec.Struct]]] = [
    (Evidence, evidence.EvidenceInfo),
    (DetectorScore, evidence.DetectorScoreInfo),
    (Drivers, evidence.DriversInfo),
    (PostDriver, evidence.PostDriverInfo),
    (Term, evidence.TermInfo),
    (Sample, evidence.SampleInfo),
    (Audience, evidence.AudienceInfo),
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, and without the null beside it."""
    while True:
        if "$ref" in schema:
            found = SCHEMA
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        elif "anyOf" in schema:
            (schema,) = [one for one in schema["anyOf"] if one.get("type") != "null"]
        else:
            return schema


def is_nullable(schema: dict[str, Any]) -> bool:
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))


def structs(kind: Any) -> list[type[msgspec.Struct]]:
    """The struct inside an annotation, if there is one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    inside = get_args(kind) if get_origin(kind) in (tuple, list, dict, Union, UnionType) else ()
    return [struct for one in inside for struct in structs(one)]


def check(kind: type[msgspec.Struct], schema: dict[str, Any]) -> None:
    """Compare a struct with a schema, and what is inside with what is inside."""
    schema = resolved(schema)
    if "items" in schema:
        schema = resolved(schema["items"])
    elif "additionalProperties" in schema and "properties" not in schema:
        schema = resolved(schema["additionalProperties"])
    fields = msgspec.structs.fields(kind)
    extra = {"inputs"} & {field.name for field in fields}  # in evidence, not in a trace
    assert {field.encode_name for field in fields} - extra == set(schema["properties"]), kind
    hints = get_type_hints(kind)
    for field in fields:
        if field.name not in extra:
            wanted = is_nullable(schema["properties"][field.encode_name])
            assert (type(None) in get_args(hints[field.name])) is wanted, (kind, field.name)
        for inner in structs(hints[field.name]):
            if inner not in OPEN and field.name not in extra:
                check(inner, schema["properties"][field.encode_name])


@pytest.mark.parametrize(("method", "path", "kind"), ANSWERS)
def test_a_record_has_the_fields_of_the_answer(
    method: str, path: str, kind: type[msgspec.Struct]
) -> None:
    responses = SCHEMA["paths"][path][method.lower()]["responses"]
    (code,) = [code for code in responses if code.startswith("2")]
    schema = resolved(responses[code]["content"]["application/json"]["schema"])
    is_list = set(schema["properties"]) <= {"items", "next_cursor"}
    if is_list and "items" not in kind.__struct_fields__:
        schema = schema["properties"]["items"]
    check(kind, schema)


@pytest.mark.parametrize(("method", "path", "kind"), BODIES)
def test_a_request_has_the_fields_of_the_body(
    method: str, path: str, kind: type[msgspec.Struct]
) -> None:
    body = SCHEMA["paths"][path][method.lower()]["requestBody"]
    check(kind, body["content"]["application/json"]["schema"])


@pytest.mark.parametrize(("written", "read"), RECORDS)
def test_evidence_is_read_as_monitoring_writes_it(
    written: type, read: type[msgspec.Struct]
) -> None:
    fields = {field.name for field in dataclasses.fields(written)}
    computed = {"negative_share"} if written is Evidence else set()
    assert {field.name for field in msgspec.structs.fields(read)} == fields | computed
