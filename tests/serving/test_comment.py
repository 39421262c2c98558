"""Every way an item can be no comment has a name; odd but usable items are accepted."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from serving.errors import InvalidComment
from serving.ingest.comment import MAX_TEXT_BYTES, parse_comment
from serving.ingest.values.rules import Adjustment

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GOOD = {
    "platform": "instagram",
    "comment_id": "c1",
    "kol_id": "lena",
    "text": "love it",
    "created_at": "2026-03-01T11:59:00Z",
}


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"platform": None}, "wrong_type", "platform"),
        ({"platform": ""}, "empty_field", "platform"),
        ({"platform": "   "}, "empty_field", "platform"),
        ({"platform": "p" * 65}, "too_long", "platform"),
        ({"comment_id": ["c1"]}, "wrong_type", "comment_id"),
        ({"comment_id": True}, "wrong_type", "comment_id"),
        ({"comment_id": "a\nb"}, "bad_characters", "comment_id"),
        ({"comment_id": "nan"}, "missing_field", "comment_id"),
        ({"comment_id": "#N/A"}, "missing_field", "comment_id"),
        ({"kol_id": "nan"}, "missing_field", "kol_id"),
        ({"kol_id": "k" * 129}, "too_long", "kol_id"),
        ({"text": 5}, "wrong_type", "text"),
        ({"text": "x" * (MAX_TEXT_BYTES + 1)}, "text_too_long", "text"),
        ({"text": "é" * (MAX_TEXT_BYTES // 2 + 1)}, "text_too_long", "text"),
        ({"created_at": 5}, "bad_timestamp", "created_at"),
        ({"created_at": [5]}, "wrong_type", "created_at"),
        ({"created_at": True}, "wrong_type", "created_at"),
        ({"created_at": "yesterday"}, "relative_timestamp", "created_at"),
        ({"created_at": "soon"}, "bad_timestamp", "created_at"),
        ({"created_at": "2026-03-01T11:59:00"}, "naive_timestamp", "created_at"),
        ({"created_at": "2026-03-01T12:06:00Z"}, "timestamp_in_future", "created_at"),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "timestamp_in_future", "created_at"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "timestamp_too_old", "created_at"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "timestamp_too_old", "created_at"),
        ({"post_id": {"id": 1}}, "wrong_type", "post_id"),
    ],
)
def test_a_fault_is_named(change: dict[str, object], code: str, field: str) -> None:
    with pytest.raises(InvalidComment) as caught:
        parse_comment(GOOD | change, now=NOW)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert field in str(caught.value)


@pytest.mark.parametrize("field", ["platform", "comment_id", "kol_id", "text", "created_at"])
def test_a_missing_field_is_named(field: str) -> None:
    item = {key: value for key, value in GOOD.items() if key != field}
    with pytest.raises(InvalidComment) as caught:
        parse_comment(item, now=NOW)
    assert (caught.value.code, caught.value.field) == ("missing_field", field)


@pytest.mark.parametrize("item", [None, 7, "text", ["list"]])
def test_only_objects_are_comments(item: object) -> None:
    with pytest.raises(InvalidComment) as caught:
        parse_comment(item, now=NOW)
    assert caught.value.code == "wrong_type"


@pytest.mark.parametrize(
    ("change", "attribute", "expected"),
    [
        ({"comment_id": 17}, "comment_id", "17"),
        ({"kol_id": "  lena "}, "kol_id", "lena"),
        ({"text": ""}, "text", ""),
        ({"text": "\u200b\u200d"}, "text", "\u200b\u200d"),
        ({"text": "😀" * 10_000}, "text", "😀" * 10_000),
        ({"text": "a\0b"}, "text", "a\ufffdb"),
        ({"text": "a\ud800b"}, "text", "a\ufffdb"),
        ({"text": "x" * MAX_TEXT_BYTES}, "text", "x" * MAX_TEXT_BYTES),
        (
            {"created_at": "2026-03-01T18:59:00+07:00"},
            "created_at",
            datetime(2026, 3, 1, 11, 59, tzinfo=UTC),
        ),
        (
            {"created_at": "2026-03-01T12:05:00Z"},  # a sender's clock may be a little fast
            "created_at",
            datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
        ),
        ({"unknown": 1}, "post_id", None),
        ({"likes": 0}, "likes", 0),
        ({"likes": -1}, "likes", None),
        ({"likes": "7"}, "likes", 7),
        ({"lang": ""}, "lang", None),
        ({"author_id": "N/A"}, "author_id", None),
        ({"author_id": 1.477e18}, "author_id", None),
        ({"edited_at": "2026-03-01T11:59:00"}, "edited_at", None),
        ({"edited_at": "just now"}, "edited_at", None),
        ({"edited_at": False}, "edited_at", None),
        ({"deleted": "perhaps"}, "removed", False),
        ({"deleted": "True"}, "removed", True),
        ({"deleted": 0}, "removed", False),
        ({"created_at": 1772366340}, "created_at", datetime(2026, 3, 1, 11, 59, tzinfo=UTC)),
    ],
)
def test_odd_but_usable(change: dict[str, object], attribute: str, expected: object) -> None:
    assert getattr(parse_comment(GOOD | change, now=NOW), attribute) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("[deleted]", " [removed]\n", "[Removed]", "[ Removed by Reddit ]"),
        *("[deleted by user]", "[removed by moderator]", "(deleted)", "<removed>"),
        *("This comment was deleted", "This comment has been removed.", "[đã xóa]", "[삭제됨]"),
        *("Bình luận này đã bị xóa.", "삭제된 댓글입니다.", "このコメントは削除されました。"),
    ],
)
def test_a_notice_of_a_deletion_is_no_text(text: str) -> None:
    comment = parse_comment(GOOD | {"text": text}, now=NOW)
    assert (comment.removed, comment.text) == (True, "")


@pytest.mark.parametrize(
    "text",
    [
        *("deleted", "they [deleted] it", "[deleted] [removed]", "[edited]", "[]", ""),
        *("removed", "this comment was deleted, coward", "đã xóa", "[deleted"),
    ],
)
def test_what_resembles_a_notice_is_a_text(text: str) -> None:
    comment = parse_comment(GOOD | {"text": text}, now=NOW)
    assert (comment.removed, comment.text) == (False, text)


def test_a_deleted_comment_may_have_its_text() -> None:
    comment = parse_comment(GOOD | {"deleted": True}, now=NOW)
    assert (comment.removed, comment.text) == (True, "love it")
    assert not parse_comment(GOOD | {"deleted": False}, now=NOW).removed


def test_only_what_is_changed_in_comments_that_are_kept_is_counted() -> None:
    adjustments: Counter[Adjustment] = Counter()
    with pytest.raises(InvalidComment):
        parse_comment(
            GOOD | {"likes": "many", "created_at": "soon"}, now=NOW, adjustments=adjustments
        )
    assert not adjustments
    parse_comment(GOOD | {"likes": "many"}, now=NOW, adjustments=adjustments)
    assert adjustments == {Adjustment.LIKES_UNKNOWN: 1}


def test_the_time_of_an_edit_is_read_like_that_of_the_comment() -> None:
    comment = parse_comment(GOOD | {"edited_at": "2026-03-01T18:59:30+07:00"}, now=NOW)
    assert comment.edited_at == datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)
    assert parse_comment(GOOD | {"edited_at": None}, now=NOW).edited_at is None
