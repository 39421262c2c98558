"""Cards through a custom bot and through an app, against a Lark on loopback."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from serving.clock import TestClock
from serving.notify.channels.base import Channel, Rejected, Unavailable
from serving.notify.channels.lark import sign
from serving.notify.config.notification_config import InvalidConfig, load
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import build_channel, notification
from tests.serving.notify.fake_lark import APP_ID, APP_SECRET, CHAT_ID, HOOK, FakeLark, fault, lark

CALLS_BACK = {"encrypt_key_env": "LARK_KEY", "verification_token_env": "LARK_TOKEN"}


def app(fake: FakeLark, clock: TestClock | None = None, **settings: Any) -> Channel:
    named = {"app_id": APP_ID, "chat_id": CHAT_ID, "secret_env": "LARK_SECRET"}
    url = fake.receiver.url
    return build_channel("lark", url, clock=clock, **{"secret": APP_SECRET, **named, **settings})


def bot(fake: FakeLark, secret: str = "") -> Channel:
    named = {"secret_env": "LARK_SECRET"} if secret else {}
    return build_channel("lark", fake.receiver.url + HOOK, secret=secret, **named)


def buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [one["actions"] for one in card["elements"] if one["tag"] == "action"]
    return [button for row in rows for button in row]


async def test_a_custom_bot_gets_a_card_that_is_signed_if_there_is_a_secret() -> None:
    async with lark() as fake:
        await bot(fake).send([notification()])
        await bot(fake, "a-signing-secret").send([notification()])
    plain, signed = fake.sent
    assert plain["msg_type"] == "interactive"
    assert plain["card"]["header"]["template"] == "red"
    assert {"timestamp", "sign"}.isdisjoint(plain)
    assert signed["timestamp"] == str(int(NOW.timestamp()))
    assert signed["sign"] == sign("a-signing-secret", int(NOW.timestamp()))
    assert signed["card"] == plain["card"]
    assert all("url" in one and "value" not in one for one in buttons(plain["card"]))


def test_a_signature_is_made_as_the_documentation_says() -> None:
    # As OpenSSL makes it from the example there: the key is "100\ndemo", and nothing is signed.
    assert sign("demo", 100) == "jquNHnVOwmDRfw+vqTIrY5dooJAgi5EcRtLsQE4wfXg="


async def test_an_app_sends_cards_to_its_chat_with_one_token() -> None:
    async with lark() as fake:
        channel = app(fake)
        await channel.send([notification()])
        await channel.send([notification(key="another")])
    assert fake.tokens == 1
    first, second = fake.sent
    assert first["receive_id"] == CHAT_ID
    assert first["uuid"] != second["uuid"]
    assert len(first["uuid"]) == 50
    assert [one["text"]["content"] for one in buttons(fake.cards["om_0"])][:2] == [
        "Open the alert",
        "Acknowledge",
    ]


async def test_a_button_acknowledges_where_callbacks_are_verified() -> None:
    async with lark() as fake:
        channel = app(fake, **CALLS_BACK)
        await channel.send([notification()])
        await channel.send([notification(), notification(alert_id="b2")])
        await channel.send([notification(alert_id="c3", reason="resolved")])
    alone, several, over = fake.cards.values()
    assert buttons(alone)[0]["value"] == {"action": "acknowledge", "alert_id": "a1"}
    assert len([one for one in buttons(alone) if one["text"]["content"] == "Acknowledge"]) == 1
    assert not [one for one in buttons(several) + buttons(over) if "value" in one]


async def test_a_token_is_renewed_before_it_ends(clock: TestClock) -> None:
    async with lark() as fake:
        channel = app(fake, clock)
        await channel.send([notification()])
        clock.advance(timedelta(seconds=7200 - 20 * 60 - 1))
        await channel.send([notification()])
        assert fake.tokens == 1
        clock.advance(timedelta(seconds=2))
        await channel.send([notification()])
    assert fake.tokens == 2


async def test_a_token_that_lark_knows_no_longer_is_replaced_once() -> None:
    async with lark() as fake:
        channel = app(fake)
        await channel.send([notification()])
        fake.faults = [fault(99991663)]
        await channel.send([notification()])
        assert (fake.tokens, len(fake.sent)) == (2, 2)
        fake.faults = [fault(99991663), fault(99991663)]
        with pytest.raises(Unavailable, match="99991663"):
            await channel.send([notification()])
        assert fake.tokens == 3
        await channel.send([notification()])


@pytest.mark.parametrize(
    ("answered", "error", "said", "pause"),
    [
        (fault(99991400, "limit", 429, X_Ogw_Ratelimit_Reset="7"), Unavailable, "99991400", 7),
        (fault(230020), Unavailable, "230020", 1),
        (fault(11232, status=200), Unavailable, "11232", 1),
        (fault(230049), Unavailable, "230049", None),
        (fault(55001, "server busy", 200), Unavailable, "server busy", None),
        (fault(55001, "server busy", 500), Unavailable, "server busy", None),
        (fault(230002), Rejected, "the bot is not in the chat", None),
        (fault(230025), Rejected, "too long", None),
        (fault(230027), Rejected, "im:message:send_as_bot", None),
        (fault(19001, status=200), Rejected, "leads to no bot", None),
        (fault(19021, status=200), Rejected, "the clock of this machine", None),
        (fault(1, "some other", 400), Rejected, "some other", None),
    ],
)
@pytest.mark.parametrize("way", [app, bot])
async def test_the_code_of_an_answer_decides_the_error(
    way: Any, answered: bytes, error: type[Exception], said: str, pause: int | None
) -> None:
    async with lark() as fake:
        fake.faults = [answered]
        with pytest.raises(error, match=said) as raised:
            await way(fake).send([notification()])
    if isinstance(raised.value, Unavailable):
        wanted = None if pause is None else timedelta(seconds=pause)
        assert raised.value.retry_after == wanted


@pytest.mark.parametrize("lie", [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", b"SSH\r\n"])
async def test_an_answer_that_is_none_of_larks_delivers_nothing(lie: bytes) -> None:
    async with lark() as fake:
        fake.faults = [lie, lie]
        for channel in (app(fake), bot(fake)):
            with pytest.raises(Unavailable):
                await channel.send([notification()])


async def test_a_wrong_secret_is_rejected_and_never_repeated() -> None:
    async with lark() as fake:
        with pytest.raises(Rejected, match="the secret of the app is not right") as raised:
            await app(fake, secret="wrong-s3cret").send([notification()])
        assert "wrong-s3cret" not in str(raised.value)
        fake.faults = [fault(230001, f"Bearer t-1 {APP_SECRET}")]
        with pytest.raises(Rejected) as raised:
            await app(fake).send([notification()])
    assert "t-1" not in str(raised.value)
    assert APP_SECRET not in str(raised.value)


async def test_the_end_is_shown_on_the_cards_before_it() -> None:
    async with lark() as fake:
        channel = app(fake, **CALLS_BACK)
        await channel.send([notification(severity="warning")])
        await channel.send([notification(reason="escalated", key="k2")])
        await channel.send([notification(alert_id="b2", key="k3")])
        await channel.send([notification(reason="resolved", key="k4")])
        cards = list(fake.cards.values())
        assert [one["header"]["template"] for one in cards] == ["green", "green", "red", "green"]
        assert cards[0]["header"]["title"]["content"].startswith("RESOLVED · Lena Vane")
        assert not [one for card in cards[:2] for one in buttons(card) if "value" in one]
        fake.cards.clear()  # somebody deleted the message; the end is delivered all the same
        await channel.send([notification(alert_id="b2", reason="resolved", key="k5")])
    assert len(fake.cards) == 1


async def test_a_long_burst_stays_within_a_message_of_lark() -> None:
    async with lark() as fake:
        long = [
            notification(
                kol_name="长" * 60,
                alert_id=f"a{n}",
                key=f"k{n}",
                public_url=f"https://pr.example.com/{'x' * 2500}",
            )
            for n in range(10)
        ]
        await app(fake).send(long)
        await bot(fake).send(long)
    assert len(fake.sent) > 2
    for body in fake.sent:
        card = body.get("content") or json.dumps(body, ensure_ascii=False)
        assert len(card.encode()) <= 30_000
    assert all(
        len(json.dumps(one, ensure_ascii=False).encode()) < 20_000
        for one in fake.sent
        if "card" in one
    )


HOOK_URL = "https://open.larksuite.com/open-apis/bot/v2/hook/x"
APP = {"app_id": "cli_1", "chat_id": "oc_1", "secret_env": "SECRET"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "https://open.larksuite.com/open-apis/bot/hook/x"}, "none of a custom bot"),
        ({"url": HOOK_URL, "chat_id": "oc_1"}, "name it with app_id"),
        ({"app_id": "cli_1", "secret_env": "SECRET"}, "an app needs chat_id"),
        ({"app_id": "cli_1", "chat_id": "oc_1"}, "secret_env"),
        ({**APP, "url": HOOK_URL}, "the host alone"),
        ({**APP, "encrypt_key_env": "KEY"}, "need both"),
        ({**APP, "encrypt_key_env": "SHORT", "verification_token_env": "KEY"}, "shorter than 16"),
        ({**APP, "encrypt_key_env": "KEY", "verification_token_env": "NO"}, "NO is not set"),
        ({**APP, "chat_id": "oc_1/../x"}, "chat_id"),
    ],
)
def test_a_channel_that_cannot_work_is_refused(
    settings: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidConfig) as raised:
        read(settings, tmp_path)
    assert said in str(raised.value)


def test_the_host_is_larks_unless_the_file_says_feishu(tmp_path: Path) -> None:
    assert read(APP, tmp_path).url == "https://open.larksuite.com"
    feishu = {**APP, "url": "https://open.feishu.cn"}
    assert read(feishu, tmp_path).url == "https://open.feishu.cn"
    keys = {"encrypt_key_env": "KEY", "verification_token_env": "KEY"}
    channel = read({**APP, **keys}, tmp_path)
    assert channel.other_secrets == dict.fromkeys(keys, "0123456789-0123456789")
    assert "0123456789" not in repr(channel)


def read(settings: dict[str, str], folder: Path) -> Any:
    path = folder / "channels.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    head = ["[[routes]]", 'channels = ["a"]', "[channels.a]", 'type = "lark"']
    path.write_text("\n".join([*head, *lines]))
    environment = {"SECRET": "s" * 32, "KEY": "0123456789-0123456789", "SHORT": "short"}
    return load(path, environment).channels["a"]
