"""What every channel must do: checks that run on a channel in front of a server on loopback.

A harness puts a channel in front of something that takes its messages. `TypeHarness` does so for a
type of channel, by the example of its settings; `FakeHarness` for the fake.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import pytest

from serving.locales.wording import wording
from serving.notify.channels.base import Channel, DigestChannel, Rejected, Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.channels.registry import channel_types
from serving.notify.render.plain import render
from serving.notify.routing.routes import Route
from tests.serving.notify.conftest import World, build_channel, notification, transition
from tests.serving.notify.outside import MAIL, Mode, Outside, outside

MARK = "s3cr3t-t0ken"  # in the URL of every example
SECRET = f"0123456789-{MARK}"
SPLITS = {"apprise"}  # a long message into several: its services take short ones only
VIETNAMESE = {"language": "vi", "timezone": "Asia/Ho_Chi_Minh"}


class Harness(Protocol):
    """A channel, and what arrives of its messages."""

    name: str
    channel: Channel

    def turn(self, mode: Mode) -> None:
        """Set how the other side behaves from now on."""

    def arrived(self) -> list[tuple[str, str]]:
        """The identity and the text of every message that the other side took, in order."""


class TypeHarness:
    """A channel of a type, in front of servers on loopback."""

    def __init__(self, name: str, servers: Outside, **settings: Any) -> None:
        channel_type = channel_types()[name]
        example = {**channel_type.example, **settings}
        self.url = _on_loopback(example.pop("url"), servers)
        self.name = name
        self.channel = build_channel(name, self.url, secret=SECRET, **example)
        self._servers = servers

    def turn(self, mode: Mode) -> None:
        self._servers.turn(mode)

    def arrived(self) -> list[tuple[str, str]]:
        found = []
        for arrival in self._servers.arrivals:
            if arrival.kept:
                body = arrival.body.decode()
                if arrival.way != MAIL:
                    body = json.dumps(json.loads(body), ensure_ascii=False)
                found.append((arrival.key, f"{arrival.subject}\n{body}"))
        return found


class FakeHarness:
    """The fake, which fails as it is set to."""

    name = "fake"

    def __init__(self) -> None:
        self.channel = MemoryChannel(most=20)

    def turn(self, mode: Mode) -> None:
        errors: dict[Mode, list[Exception]] = {
            "up": [],
            "rejecting": [Rejected("answered 400")],
        }
        self.channel.failures = errors.get(mode, [Unavailable(mode)])

    def arrived(self) -> list[tuple[str, str]]:
        return [
            (" ".join(one.key for one in sent), " ".join(one.kol_id for one in sent))
            for sent in self.channel.sent
        ]


@contextmanager
def harness_of(name: str, **settings: Any) -> Iterator[Harness]:
    """The harness of a type of channel, or of the fake."""
    if name == FakeHarness.name:
        yield FakeHarness()
        return
    with outside(hold=5.0) as servers:
        yield TypeHarness(name, servers, **settings)


def _on_loopback(url: str, servers: Outside) -> str:
    """An example's URL with the address of a server on loopback."""
    parts = urlsplit(url)
    scheme = {"https": "http", "smtps": "smtp"}.get(parts.scheme, parts.scheme)
    port = servers.mail_port if scheme == "smtp" else servers.port
    user = parts.netloc.rpartition("@")[0]
    address = f"{user}@127.0.0.1:{port}" if user else f"127.0.0.1:{port}"
    return urlunsplit(parts._replace(scheme=scheme, netloc=address))


async def one_and_several_notifications_arrive(name: str) -> None:
    with harness_of(name) as harness:
        await harness.channel.send([notification(kol_name="Lêna 😡", kol_id="kol-a")])
        assert len(harness.arrived()) == 1
        if harness.channel.most == 1:
            return
        two = [notification(kol_id=f"kol-{n}", kol_name=None, alert_id=n) for n in "bc"]
        await harness.channel.send(two)
        _, text = harness.arrived()[-1]
        assert len(harness.arrived()) == 2
        assert "kol-b" in text
        assert "kol-c" in text


async def every_attempt_has_the_same_key_and_content(name: str) -> None:
    with harness_of(name) as harness:
        for _ in range(2):
            await harness.channel.send([notification()])
        await harness.channel.send([notification(key="another", reason="reopened")])
        first, again, other = harness.arrived()
        assert first == again
        assert first != other


async def a_failing_server_is_unavailable(name: str) -> None:
    with harness_of(name) as harness:
        for mode in ("failing", "refusing"):
            harness.turn(mode)
            await _fails(harness, Unavailable)
        harness.turn("up")
        await harness.channel.send([notification()])


async def a_slow_server_is_cut_off(name: str) -> None:
    with harness_of(name) as harness:
        harness.turn("slow")
        async with asyncio.timeout(3):
            with pytest.raises((Unavailable, TimeoutError)):
                async with asyncio.timeout(0.2):
                    await harness.channel.send([notification()])


async def a_server_that_rejects_is_not_tried_again(name: str) -> None:
    with harness_of(name) as harness:
        harness.turn("rejecting")
        await _fails(harness, Rejected)


async def no_error_repeats_the_url_or_the_secret(name: str) -> None:
    with harness_of(name) as harness:
        for mode in ("failing", "rejecting", "repeating", "refusing"):
            harness.turn(mode)
            error = await _fails(harness, (Unavailable, Rejected))
            assert MARK not in error
            assert MARK not in repr(harness.channel)


async def language_and_time_zone_are_respected(name: str) -> None:
    if name == FakeHarness.name:  # renders nothing
        return
    with harness_of(name, **VIETNAMESE) as harness:
        await harness.channel.send([notification()])
        ((_, text),) = harness.arrived()
    severity = render([notification()], wording("vi")).subject.partition(" · ")[0]
    assert severity in text
    assert "18:20" in text  # 11:20 in UTC


async def a_type_that_takes_digests_can_send_them(name: str) -> None:
    with harness_of(name) as harness:
        can_send = isinstance(harness.channel, DigestChannel)
    assert can_send == (name == FakeHarness.name or channel_types()[name].takes_digests)


CHECKS: list[Callable[[str], Awaitable[None]]] = [
    one_and_several_notifications_arrive,
    every_attempt_has_the_same_key_and_content,
    a_failing_server_is_unavailable,
    a_slow_server_is_cut_off,
    a_server_that_rejects_is_not_tried_again,
    no_error_repeats_the_url_or_the_secret,
    language_and_time_zone_are_respected,
    a_type_that_takes_digests_can_send_them,
]


async def a_message_holds_no_more_than_the_maximum(name: str, world: World) -> None:
    with harness_of(name) as harness:
        world.routes = (Route((name,)),)
        ids = [f"kol-{n:03}" for n in range(harness.channel.most + 1)]
        await world.commit(*(transition(alert_id=f"a-{kol}", kol_id=kol) for kol in ids))
        dispatcher = world.dispatcher({name: harness.channel}, timeout=10)
        while await world.store.next_due(name) is not None:
            await dispatcher.step(name)
            world.clock.advance(harness.channel.interval)
        texts = [text for _, text in harness.arrived()]
    held = [[kol for kol in ids if kol in text] for text in texts]
    if name in SPLITS:
        held = [list(dict.fromkeys(kol for part in held[:-1] for kol in part)), held[-1]]
    assert [len(one) for one in held] == [harness.channel.most, 1]
    assert [kol for one in held for kol in one] == ids
    assert set(await world.states()) == {"delivered"}


async def _fails(harness: Harness, error: type[Exception] | tuple[type[Exception], ...]) -> str:
    """Send a message that must fail; returns the text of the error."""
    with pytest.raises(error) as raised:
        await harness.channel.send([notification()])
    return str(raised.value)
