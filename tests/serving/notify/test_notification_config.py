"""The channels file: what a correct one becomes, and the message of each mistake, by line."""

import re
from pathlib import Path

import httpx
import pytest

from serving.clock import TestClock
from serving.notify.attachments import NoAttachments
from serving.notify.channels.alertmanager import AlertmanagerChannel
from serving.notify.channels.apprise import MISSING, AppriseChannel, AppriseSpec
from serving.notify.channels.email import EmailChannel
from serving.notify.channels.registry import ChannelContext
from serving.notify.channels.slack import SlackChannel
from serving.notify.channels.teams import TeamsChannel
from serving.notify.channels.webhook import WebhookChannel
from serving.notify.config.notification_config import InvalidConfig, load
from serving.outgoing.address_rules import AddressRules
from tests.serving.conftest import NOW

SECRETS = {
    "CRM_SECRET": "0123456789abcdef",
    "TEAM_URL": "slack://TokenA/TokenB/TokenC",
    "SHORT": "x",
    "MAIL_URL": "smtps://u:p%40ss@mail.example.com",
}
CRM = """
[channels.crm]
type = "webhook"
url = "https://crm.example.com/hook"
secret_env = "CRM_SECRET"
"""
ROOM = """
[channels.crm]
type = "slack"
url = "https://hooks.slack.com/services/T/B/x"
"""
MAIL = """
[channels.crm]
type = "email"
url = "smtps://mail.example.com"
from = "alerts@example.com"
to = ["nobody"]
"""
ROUTE = """
[[routes]]
channels = ["crm"]
"""


def issues(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    path = tmp_path / "channels.toml"
    path.write_text(text)
    with pytest.raises(InvalidConfig) as raised:
        load(path, SECRETS)
    assert "TokenB" not in str(raised.value)
    return [(issue.line, issue.message) for issue in raised.value.issues]


async def test_a_correct_file_becomes_channels_and_routes(tmp_path: Path) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(
        CRM
        + """
[channels.am]
type = "alertmanager"
url = "http://am:9093"
allow_http = true
per_minute = 600

[channels.team]
type = "apprise"
url_env = "TEAM_URL"

[channels.desk]
type = "email"
url_env = "MAIL_URL"
from = "alerts@example.com"
to = ["pr@example.com"]
language = "vi"
timezone = "Asia/Ho_Chi_Minh"

[channels.room]
type = "slack"
url = "https://hooks.slack.com/services/T/B/x"

[channels.group]
type = "teams"
url = "https://example.logic.azure.com/workflows/x"

[[routes]]
kols = ["lena"]
kinds = ["backlash"]
min_severity = "critical"
continue = true
channels = ["team"]

[[routes]]
channels = ["crm", "am", "desk", "room", "group"]
"""
    )
    found = load(path, SECRETS)
    assert [route.channels for route in found.routes] == [
        ("team",),
        ("crm", "am", "desk", "room", "group"),
    ]
    assert found.routes[0].continues
    async with httpx.AsyncClient() as http:
        context = ChannelContext(http, AddressRules(), TestClock(NOW), NoAttachments())
        built = [channel.build(context) for channel in found.channels.values()]
    assert [type(channel) for channel in built] == [
        WebhookChannel, AlertmanagerChannel, AppriseChannel, EmailChannel, SlackChannel,
        TeamsChannel,
    ]  # fmt: skip
    assert [channel.most for channel in built] == [1, 50, 20, 20, 20, 10]
    assert [channel.interval.total_seconds() for channel in built] == [2.0, 0.1, *[2.0] * 4]
    words = found.channels["desk"].spec.wording
    assert (words.language, words.zone.key) == ("vi", "Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("text", "line", "wanted"),
    [
        ("[channels.crm\n", 1, "is not TOML"),
        (CRM + ROUTE.replace("crm", "cmr"), 8, "there is no channel 'cmr'; there are: crm"),
        (CRM, 2, "no route leads to channel 'crm'"),
        (ROUTE, 1, "there is no channel; add one"),
        (CRM.replace("https", "http") + ROUTE, 4, "allow_http = true"),
        (CRM.replace("https", "ftp") + ROUTE, 4, "must begin with https://"),
        (ROOM.replace("https", "http") + ROUTE, 4, "use https://$"),
        (CRM.replace("CRM_SECRET", "CRM_SECERT") + ROUTE, 5, "CRM_SECERT is not set"),
        (CRM.replace("CRM_SECRET", "SHORT") + ROUTE, 5, "shorter than 16"),
        (CRM.replace("webhook", "web") + ROUTE, 3, "type must be one of"),
        (CRM + 'secret = "x"' + ROUTE, 6, "secret: there is no such key"),
        (CRM + 'url_env = "TEAM_URL"' + ROUTE, 2, "either url, or url_env"),
        (CRM + "per_minute = 0" + ROUTE, 6, "per_minute: Input should be greater than 0"),
        (CRM.replace(".crm", '."C R M"') + ROUTE, 2, "channel name 'C R M'"),
        (CRM + ROUTE + 'min_severity = "mild"', 9, "min_severity: Input should be 'info'"),
        (CRM + ROUTE + 'kinds = ["storm"]', 9, "kinds.0: Input should be"),
        (CRM + ROUTE + ROUTE, 10, "matches exactly what the route on line 7 takes"),
        ("chanels = 1\n" + CRM + ROUTE, 1, "unknown key 'chanels'"),
        (CRM.replace("webhook", "apprise").replace('secret_env = "CRM_SECRET"', "") + ROUTE,
         4, "scheme is not supported"),
        (CRM + 'language = "tlh"' + ROUTE, 6, "language must be one of en, vi"),
        (CRM + 'timezone = "Mars/Olympus"' + ROUTE, 6, "there is no time zone 'Mars/Olympus'"),
        (CRM + 'timezone = "../../etc/passwd"' + ROUTE, 6, "there is no time zone"),
        (MAIL + ROUTE, 6, "to.0: String should match"),
        (MAIL.replace('"nobody"', '"a@b.example"').replace("smtps", "imap") + ROUTE,
         4, "must begin with smtps:// or smtp://"),
        (MAIL.replace('"nobody"', '"a@b.example"').replace("from", "form") + ROUTE,
         2, "from: Field required"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(
    tmp_path: Path, text: str, line: int, wanted: str
) -> None:
    found = issues(tmp_path, text)
    assert [where for where, message in found if re.search(wanted, message)] == [line], found


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    found = issues(tmp_path, CRM.replace("https", "http") + ROUTE.replace("crm", "cmr"))
    assert [line for line, _ in found] == [2, 4, 8]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="cannot be read"):
        load(tmp_path / "none.toml", {})


def test_without_apprise_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    with pytest.raises(ValueError, match=re.escape(MISSING)):
        check_apprise("slack://a/b/c")


@pytest.mark.parametrize("url", ["slack://", "mailto://"])
def test_apprise_urls_are_tried(url: str) -> None:
    with pytest.raises(ValueError, match="cannot read this"):
        check_apprise(url)


def check_apprise(url: str) -> None:
    AppriseSpec(type="apprise", url=url).check_url(url)
