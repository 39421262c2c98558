"""A topic of a Kafka cluster that somebody writes comments to as JSON."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from serving.outgoing.address_rules import ForbiddenAddress
from serving.outgoing.resolution import resolve
from serving.sources.comment_paths import CommentPathsSpec
from serving.sources.faults import (
    AccountGone,
    Misconfigured,
    PermissionLost,
    PlatformUnavailable,
    TokenExpired,
)
from serving.sources.field_paths import FieldPath, value_at
from serving.sources.registry import SourceType, register
from serving.sources.source import SourceCursor, SourcePreview, StreamReader
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import Secret

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

_AT_ONCE = 500  # messages of one batch
_WAIT_MS = 200  # for messages of a batch
_HEARTBEAT = 10.0  # seconds without a message after which an empty batch shows that it lives
_LOOK_AT_TOPIC = 60.0  # seconds between two looks for new partitions
_TIMEOUT_MS = 15_000
_SHOWN = 10
_FAULTS_SHOWN = 5


def _server(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{value!r} must be a host and a port, such as kafka.example.com:9092")
    return value


class KafkaSpec(CommentPathsSpec):
    """Which topic of which cluster, and how its messages are read."""

    platform: str = Field(
        title="Platform",
        description="Where the comments were written, in small letters: tiktok, forum.",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
    )
    servers: tuple[Annotated[str, AfterValidator(_server)], ...] = Field(
        title="Servers",
        description="One or more brokers, such as kafka.example.com:9092.",
        min_length=1,
        max_length=20,
    )
    topic: str = Field(
        title="Topic",
        description="The topic with the comments; its messages are JSON objects or lists of them.",
        pattern=r"^[A-Za-z0-9._-]{1,249}$",
    )
    begin: Literal["earliest", "latest"] = Field(
        "earliest",
        title="Where to begin",
        description="Use earliest to read what the topic still has, latest for new messages only.",
    )
    tls: bool = Field(
        False, title="TLS", description="Whether the connection is encrypted, and the broker named."
    )
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512",
        title="Mechanism",
        description="How the password is proved, if there is one.",
    )
    user: str | None = Field(
        None, title="User", description="The user of the cluster; unset if it asks for none."
    )
    password: Secret | None = Field(
        None, title="Password", description="The user's password; unset if there is no user."
    )
    items: FieldPath | None = Field(
        None,
        title="Path of the list",
        description="JMESPath of the comments in a message; unset if a message is one or a list.",
    )

    @model_validator(mode="after")
    def _user_and_password(self) -> "KafkaSpec":
        if (self.user is None) is not (self.password is None):
            raise ValueError("user and password belong together; set both or none")
        if self.password is not None and self.mechanism == "PLAIN" and not self.tls:
            raise ValueError(
                "the mechanism PLAIN without tls would send the password readable; set tls, or use"
                " SCRAM-SHA-512"
            )
        return self


class KafkaSource(StreamReader):
    """Reads every partition from where the log is.

    It belongs to no consumer group: where it is, is committed with the comments.
    """

    silence = timedelta(seconds=6 * _HEARTBEAT)

    def __init__(self, spec: KafkaSpec, context: SourceContext) -> None:
        self._spec = spec
        self._context = context

    async def read(self, cursor: SourceCursor | None) -> AsyncGenerator[SourceBatch, None]:
        """Messages of all partitions, in the order of each."""
        offsets: dict[str, int] = dict((cursor or {}).get("offsets", {}))
        async with self._connected() as consumer:
            ends = await self._assign(consumer, offsets, is_first=cursor is None)
            # What the topic had when it was connected is the account's history.
            history = cursor is None
            yield SourceBatch(cursor={"offsets": offsets}, history=history)
            looked = said = monotonic()
            while True:
                found = await self._messages(consumer)
                if monotonic() - looked > _LOOK_AT_TOPIC:
                    looked = monotonic()
                    await self._assign(consumer, offsets, is_first=False)
                if found:
                    yield self._batch(found, offsets, history)
                    history = history and any(
                        offsets.get(partition, 0) < end for partition, end in ends.items()
                    )
                    said = monotonic()
                elif monotonic() - said > _HEARTBEAT:
                    said = monotonic()
                    yield SourceBatch(cursor={"offsets": offsets})

    async def preview(self) -> SourcePreview:
        """The last messages of the topic."""
        spec = self._spec
        async with self._connected() as consumer:
            partitions = self._partitions(consumer)
            consumer.assign(partitions)
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
            for one in partitions:
                consumer.seek(one, max(begins[one], ends[one] - _SHOWN))
            waiting = any(ends[one] > begins[one] for one in partitions)
            found = await self._messages(consumer, wait_ms=3000) if waiting else []
        comments = [one for message in found for one in self._read(message)[0]]
        there = sum(ends[one] - begins[one] for one in partitions)
        return SourcePreview(
            account=f"topic {spec.topic} at {', '.join(spec.servers)}",
            sees=(
                f"{len(partitions)} partitions with about {there:,} messages",
                "new messages within a second",
            ),
            cannot_see=("messages that the cluster deleted before they were read",),
            costs=("nothing",),
            comments=tuple(comments[-_SHOWN:]),
        )

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator["AIOKafkaConsumer", None]:
        try:
            from aiokafka import AIOKafkaConsumer
            from aiokafka.admin import AIOKafkaAdminClient
            from aiokafka.errors import (
                AuthenticationFailedError,
                KafkaError,
                SaslAuthenticationFailed,
                TopicAuthorizationFailedError,
            )
        except ImportError:
            raise Misconfigured(
                "the package aiokafka is not installed",
                remedy="install groundswell[kafka], and start the service again",
            ) from None

        spec, options = self._spec, self._options()
        try:
            await self._check([_parted(server) for server in spec.servers])
            admin = AIOKafkaAdminClient(**options)
            try:
                await admin.start()
                cluster = await admin.describe_cluster()
            finally:
                await admin.close()
            # Brokers say where they are; these addresses are connected to from now on.
            await self._check([(one["host"], one["port"]) for one in cluster["brokers"]])
            consumer = AIOKafkaConsumer(
                enable_auto_commit=False, auto_offset_reset="earliest", **options
            )
            try:
                await consumer.start()
                await asyncio.sleep(0)  # it cannot be stopped before its tasks have begun
                yield consumer
            finally:
                await consumer.stop()
        except (AuthenticationFailedError, SaslAuthenticationFailed):
            raise TokenExpired(
                "the cluster refused the user or the password",
                remedy="enter the user's new password in the source's settings",
            ) from None
        except TopicAuthorizationFailedError:
            raise PermissionLost(
                f"the user may not read the topic {spec.topic}",
                remedy=f"allow the user to read and describe the topic {spec.topic}",
            ) from None
        except (KafkaError, OSError) as error:
            why = str(error) or type(error).__name__
            raise PlatformUnavailable(f"the cluster cannot be reached: {why}") from None

    def _options(self) -> dict[str, Any]:
        spec = self._spec
        sasl = spec.password is not None
        names = {(False, False): "PLAINTEXT", (True, False): "SSL"}
        security = names.get((spec.tls, sasl)) or ("SASL_SSL" if spec.tls else "SASL_PLAINTEXT")
        options: dict[str, Any] = {
            "bootstrap_servers": list(spec.servers),
            "client_id": "groundswell",
            "request_timeout_ms": _TIMEOUT_MS,
            "security_protocol": security,
        }
        if spec.tls:
            options["ssl_context"] = ssl.create_default_context()
        if spec.password is not None:
            options |= {
                "sasl_mechanism": spec.mechanism,
                "sasl_plain_username": spec.user,
                "sasl_plain_password": spec.password.get_secret_value(),
            }
        return options

    async def _check(self, servers: Sequence[tuple[str, int]]) -> None:
        for host, port in servers:
            try:
                await resolve(host, port, self._context.rules)
            except ForbiddenAddress as error:
                raise Misconfigured(str(error)) from None

    def _partitions(self, consumer: "AIOKafkaConsumer") -> "list[TopicPartition]":
        from aiokafka import TopicPartition

        topic = self._spec.topic
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise AccountGone(
                f"the cluster has no topic {topic}",
                remedy="check the name of the topic, and whether the user may see it",
            )
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    async def _assign(
        self, consumer: "AIOKafkaConsumer", offsets: dict[str, int], *, is_first: bool
    ) -> dict[str, int]:
        """Read every partition from its offset; returns where each ends now.

        A partition that is new since then is read from its beginning, and so is one whose
        messages up to the offset were deleted.
        """
        await consumer.topics()  # asks for the newest partitions
        partitions = self._partitions(consumer)
        if set(partitions) == set(consumer.assignment()):
            return {}
        consumer.assign(partitions)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for one in partitions:
            name = str(one.partition)
            begin = ends[one] if is_first and self._spec.begin == "latest" else begins[one]
            at = offsets.get(name, begin)
            # A topic that was made anew ends before the offset.
            offsets[name] = at if begins[one] <= at <= ends[one] else begins[one]
            consumer.seek(one, offsets[name])
        return {str(one.partition): ends[one] for one in partitions}

    async def _messages(
        self, consumer: "AIOKafkaConsumer", wait_ms: int = _WAIT_MS
    ) -> "list[ConsumerRecord]":
        found = await consumer.getmany(timeout_ms=wait_ms, max_records=_AT_ONCE)
        return [message for messages in found.values() for message in messages]

    def _batch(
        self, messages: "Sequence[ConsumerRecord]", offsets: dict[str, int], history: bool
    ) -> SourceBatch:
        comments: list[SourceComment] = []
        faults: list[str] = []
        for message in messages:
            found, fault = self._read(message)
            comments += found
            if fault is not None:
                faults.append(f"partition {message.partition}, offset {message.offset}: {fault}")
            offsets[str(message.partition)] = message.offset + 1
        return SourceBatch(
            comments=comments,
            cursor={"offsets": dict(offsets)},
            history=history,
            unreadable=tuple(faults[:_FAULTS_SHOWN]),
        )

    def _read(self, message: "ConsumerRecord") -> tuple[list[SourceComment], str | None]:
        """The comments of a message, or why there are none."""
        if message.value is None:
            return [], None  # a tombstone of a compacted topic
        try:
            document = json.loads(message.value)
        except (ValueError, RecursionError):
            return [], "it is not JSON in UTF-8"
        found = document if self._spec.items is None else value_at(self._spec.items, document)
        items = found if isinstance(found, list) else [found]
        comments = [self._spec.comment_in(item) for item in items if isinstance(item, dict)]
        named = [one for one in comments if one.comment_id]
        if len(named) < len(items):
            return named, f"it has no comment with an id at {self._spec.comment_id!r}"
        return named, None


def _parted(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    return host.strip("[]"), int(port)


_EXAMPLE: Mapping[str, Any] = {
    "platform": "forum",
    "servers": ["kafka.example.com:9092"],
    "topic": "comments",
    "tls": True,
    "user": "groundswell",
    "password": "pa55word-of-the-cluster",
}

register(
    SourceType(
        name="kafka",
        title="Kafka topic",
        about="Comments that another system writes to a Kafka topic as JSON.",
        source=KafkaSource,
        spec=KafkaSpec,
        build=KafkaSource,
        example=_EXAMPLE,
        needs_kol=False,
    )
)
