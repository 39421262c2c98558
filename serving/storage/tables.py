"""The tables. `comments` is the log; a rebuild computes what was derived from it.

It cannot compute what people did (`actions`, `silences`, `kols`) and who was notified
(`deliveries`): that stays.
Instants are whole microseconds since 1970 in UTC: they sort, compare and divide alike on every
database. `seq` is a comment's place in the log.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from serving.storage.fault_tables import held_kols, set_aside
from serving.storage.people_tables import people, person_brands, session_tokens, sessions
from serving.storage.record_tables import (
    comment_changes,
    comment_versions,
    comments,
    erasures,
    kol_aliases,
    kol_followers,
    kol_handles,
    kols,
    post_counts,
    post_kols,
    posts,
    stored_facts,
)
from serving.storage.schema import Serial, metadata

# What is defined elsewhere; with the tables below it is all there is.
__all__ = [
    "comment_changes",
    "comment_versions",
    "comments",
    "erasures",
    "held_kols",
    "kol_aliases",
    "kol_followers",
    "kol_handles",
    "kols",
    "metadata",
    "people",
    "person_brands",
    "post_counts",
    "post_kols",
    "posts",
    "session_tokens",
    "sessions",
    "set_aside",
    "stored_facts",
]

# Event time that was declared to have passed without a comment; repeated by a rebuild.
idle_marks = Table(
    "idle_marks",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("after_seq", BigInteger, nullable=False, index=True),
    Column("kol_id", String(128), nullable=False, index=True),
    Column("reached", BigInteger, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("negative", Float, nullable=False),
    Column("neutral", Float, nullable=False),
    Column("positive", Float, nullable=False),
    Column("offensive", Float),
    Column("model", String(128), nullable=False),
)

# Sums of the comments of a minute that were not removed, in whole millionths: so they do not depend
# on the order of adding, and a comment that is edited or removed is taken out exactly.
minutes = Table(
    "minutes",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("comments", Integer, nullable=False),
    Column("negative", BigInteger, nullable=False),
    Column("positive", BigInteger, nullable=False),
    Column("removed", Integer, nullable=False, server_default="0"),
)

# A closed minute as the detectors count it (`WindowStats`), and what they computed for it.
minute_scores = Table(
    "minute_scores",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("comments", Integer, nullable=False),
    Column("negative", Float, nullable=False),
    Column("positive", Float, nullable=False),
    Column("authors", Integer),
    Column("top_author_share", Float),
    Column("duplicate_share", Float),
    Column("excess", Float, nullable=False),
    Column("expected_comments", Float, nullable=False),
    Column("expected_negative_share", Float, nullable=False),
    Column("rho_loud", Float, nullable=False),
    Column("doubt", Float, nullable=False),
    Column("phi", Float, nullable=False),
    Column("active", Float, nullable=False),
    Column("judged", Boolean, nullable=False),
    Column("scores", JSON, nullable=False),  # detector: [scale in minutes, value, threshold]
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", String(64), primary_key=True),
    Column("kol_id", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("resolved_at", BigInteger),
    Column("evidence", JSON, nullable=False),
    Column("found_at", BigInteger),
    Index(None, "opened_at", "alert_id"),
    Index(None, "kol_id", "opened_at"),
    Index(None, "state", "opened_at", "alert_id"),
    Index(None, "state", "kol_id", "severity", "kind", "alert_id"),
    Index(None, "severity", "opened_at", "alert_id"),
)

alert_events = Table(
    "alert_events",
    metadata,
    Column("event_id", Serial, primary_key=True, autoincrement=True),
    Column("alert_id", String(64), nullable=False, index=True),
    Column("kol_id", String(128), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("found_at", BigInteger, index=True),
    Column("revised_to", String(16)),  # the state of the alert after a revision
    sqlite_autoincrement=True,
)

# The id of an alert stays when comments that came late move its start, and with it the id that is
# derived from the start. Kept by a rebuild.
alert_ids = Table(
    "alert_ids",
    metadata,
    Column("derived_id", String(64), primary_key=True),
    Column("alert_id", String(64), nullable=False),
)

# What deliveries carry, stored once for all channels. Of `type` "alert" it is news of an alert, as
# it was when the news was written, for a rebuild may change alerts. `at` is the event time of the
# transition, or of the page that nobody acknowledged; `alert_state` is that of the alert after it,
# and null in older versions. Of `type` "digest" it is a digest, and all other columns are null.
notification_payloads = Table(
    "notification_payloads",
    metadata,
    Column("payload_id", Serial, primary_key=True, autoincrement=True),
    Column("type", String(8), nullable=False),
    Column("alert_id", String(64)),
    Column("kol_id", String(128), index=True),
    Column("kind", String(32)),
    Column("severity", String(16)),
    Column("reason", String(16)),
    Column("at", BigInteger),
    Column("opened_at", BigInteger),
    Column("evidence", JSON(none_as_null=True)),
    Column("alert_state", String(16)),
    Column("ended_at", BigInteger),
    Column("found_at", BigInteger),
    Column("late_comments", Integer),
    Column("digest", JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)

# The outbox: one row for each payload and channel, written with the step that made the payload.
# `alert_id` is the payload's: deliveries of one alert keep their order. `not_before` is when the
# team's hours begin that a delivery waits for, `page` whether it is to call somebody, `step` which
# step of an escalation it is, from 1, and `by_hand` whether somebody had it sent again.
deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Serial, primary_key=True, autoincrement=True),
    Column("key", String(320), nullable=False, unique=True),
    Column("channel", String(63), nullable=False),
    Column("payload_id", BigInteger, nullable=False, index=True),
    Column("alert_id", String(64)),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("error", Text),
    Column("not_before", BigInteger),
    Column("page", Boolean, nullable=False, server_default="0"),
    Column("step", Integer),
    Column("by_hand", Boolean, nullable=False, server_default="0"),
    Index(None, "state", "channel", "delivery_id"),
    Index(None, "state", "delivery_id"),
    Index(None, "channel", "delivery_id"),
    Index(None, "alert_id", "channel", "delivery_id"),
    Index(None, "finished_at"),
    sqlite_autoincrement=True,
)

# What people did to alerts. Rows are added, never changed. The KOL is here too: after a
# rebuild, a newer detector may no longer raise the alert.
actions = Table(
    "actions",
    metadata,
    Column("action_id", Serial, primary_key=True, autoincrement=True),
    Column("alert_id", String(64), nullable=False),
    Column("kol_id", String(128), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("action", String(16), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("text", Text),
    Column("assignee", String(100)),
    Column("until", BigInteger),
    Column("at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index(None, "alert_id", "action_id"),
    Index(None, "action", "alert_id"),
    Index(None, "kol_id"),
    sqlite_autoincrement=True,
)

silences = Table(
    "silences",
    metadata,
    Column("silence_id", Serial, primary_key=True, autoincrement=True),
    Column("kols", JSON(none_as_null=True)),
    Column("kinds", JSON(none_as_null=True)),
    Column("posts", JSON(none_as_null=True)),
    Column("max_severity", String(16)),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("created_by", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expired_by", String(100)),
    Column("expired_at", BigInteger),
    sqlite_autoincrement=True,
)

# What people set for single KOLs, each at its place in the log: after the comment `after_seq` and,
# once the pipeline came there, the idle mark `after_mark`. `from_minute` is the first minute of
# event time that is judged by it. Repeated by a rebuild.
policy_changes = Table(
    "policy_changes",
    metadata,
    Column("change_id", Serial, primary_key=True, autoincrement=True),
    Column("after_seq", BigInteger, nullable=False),
    Column("after_mark", BigInteger),
    Column("kol_id", String(128), nullable=False),
    Column("overrides", JSON, nullable=False),  # name: value; null takes the override back
    Column("actor", String(100), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("from_minute", BigInteger),
    Index(None, "kol_id", "change_id"),
    sqlite_autoincrement=True,
)

# Up to when each digest of the channels file that was due has been written.
digests = Table(
    "digests",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("every", String(8), primary_key=True),
    Column("reached", BigInteger, nullable=False),
)

# What the engine knows of a KOL after the comment `seq` and the idle mark `mark`: its snapshot, and
# what came after the comment `replay_seq` and the mark `replay_mark`, which is replayed.
engine_states = Table(
    "engine_states",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("status", JSON, nullable=False),
    Column("last_created_at", BigInteger, nullable=False),
    Column("last_received_at", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False, index=True),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    Column("mark", BigInteger, nullable=False, server_default="0"),
    Column("replay_seq", BigInteger, nullable=False, server_default="0"),
    Column("replay_mark", BigInteger, nullable=False, server_default="0"),
)

engine_snapshots = Table(
    "engine_snapshots",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("snapshot", LargeBinary, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("policy_change", BigInteger, nullable=False, server_default="0"),
    Column("comment_change", BigInteger, nullable=False, server_default="0"),
)

# The engine's state of a KOL before a minute of event time; re-runs start from it.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("snapshot", LargeBinary, nullable=False),
)

# Closed minutes that have changed, of KOLs that are to be judged again.
reruns = Table(
    "reruns",
    metadata,
    Column("rerun_id", Serial, primary_key=True, autoincrement=True),
    Column("kol_id", String(128), nullable=False, index=True),
    Column("first_minute", BigInteger, nullable=False),
    Column("last_minute", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# How late comments arrive (`DelaySketch`), of a KOL on a platform or, with an empty `kol_id`, of
# all KOLs on it. `p10` and `p90` are in seconds, null until they are known.
source_delays = Table(
    "source_delays",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("platform", String(64), primary_key=True),
    Column("comments", BigInteger, nullable=False),
    Column("hour", BigInteger, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("weights", JSON, nullable=False),
    Column("p10", Float),
    Column("p90", Float),
    Column("last_received_at", BigInteger, nullable=False),
)
