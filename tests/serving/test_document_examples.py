"""The channels files that the documents show are valid."""

import re
from pathlib import Path

from serving.notify.config.notification_config import load

DOCS = Path(__file__).parents[2] / "docs"
SECRETS = {
    "MAIL_URL": "smtps://user:password@mail.example.com",
    "LARK_WEBHOOK": "https://open.larksuite.com/open-apis/bot/v2/hook/a",
    "LARK_SIGNING_SECRET": "0123456789abcdef",
    "LARK_APP_SECRET": "0123456789abcdef",
    "LARK_ENCRYPT_KEY": "0123456789abcdef",
    "LARK_VERIFICATION_TOKEN": "0123456789abcdef",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/a/b/c",
    "CRM_SECRET": "sixteen characters",
}


def blocks(document: str, language: str) -> list[str]:
    """The code blocks of a page in a language."""
    text = (DOCS / document).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def some_channel(name: str, kind: str) -> str:
    """A channel that an example names but does not define."""
    if kind == "email":
        ends = 'url_env = "MAIL_URL"\nfrom = "a@example.com"\nto = ["b@example.com"]'
    else:
        ends = 'url = "https://example.com/hook"\nsecret_env = "CRM_SECRET"'
    return f'[channels.{name}]\ntype = "{kind}"\n{ends}\n'


def test_the_channels_file_of_the_page_is_valid(tmp_path: Path) -> None:
    channels, teams, *_ = blocks("notifications.md", "toml")
    named = ("hanoi-desk", "hanoi-phone", "new-york-desk", "head-of-pr", "ceo")
    path = tmp_path / "channels.toml"
    path.write_text(channels)
    found = load(path, SECRETS)
    assert set(found.channels) == {"pr-desk", "pr-room", "lark-room", "crm", "on-call"}
    assert len(found.routes) == 3
    path.write_text("\n".join([teams, *(some_channel(name, "webhook") for name in named)]))
    (route,) = load(path, SECRETS).routes
    assert [team.name for team in route.teams] == ["hanoi", "new-york"]
    assert len(route.steps) == 2


def test_the_lark_channels_of_the_page_are_valid(tmp_path: Path) -> None:
    _, _, bot, *apps = blocks("notifications.md", "toml")
    for number, example in enumerate((bot, *apps)):
        (name,) = re.findall(r"\[channels\.(.+)\]", example)
        path = tmp_path / f"{number}.toml"
        path.write_text(f'{example}\n[[routes]]\nchannels = ["{name}"]\n')
        assert load(path, SECRETS).channels[name].type.name == "lark"


def test_the_digests_of_the_page_are_valid(tmp_path: Path) -> None:
    (digests,) = blocks("digests.md", "toml")
    path = tmp_path / "channels.toml"
    path.write_text(
        "\n".join(
            [
                digests,
                '[brands]\nacme = ["lena"]\n[teams.hanoi]\nchannels = ["desk"]',
                '[[routes]]\nteams = ["hanoi"]',
                some_channel("desk", "email"),
                some_channel("head-of-pr", "email"),
            ]
        )
    )
    found = load(path, SECRETS)
    assert {digest.name for digest in found.digests} == {"hanoi", "acme"}
