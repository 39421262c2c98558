"""Brands, teams and routes of a channels file: what they become, and the mistakes reported."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from serving.notify.config.notification_config import InvalidConfig, load
from serving.notify.routing.routes import EscalationStep
from tests.serving.conftest import NOW

CHANNELS = "".join(
    f'[channels.{name}]\ntype = "slack"\nurl = "https://hooks.slack.com/{name}"\n'
    for name in ("desk", "phone", "boss")
)  # nine lines
GOOD = """[brands]
acme = ["lena", "mina"]
"Über" = ["otto"]
[teams.hanoi]
timezone = "Asia/Ho_Chi_Minh"
hours = ["Mon-Fri 08:00-19:00", "Sat 09:00-12:00"]
channels = ["desk"]
on_call = ["phone"]
[[routes]]
brands = ["acme"]
kols = ["nora"]
platforms = ["tiktok"]
pages_only = true
teams = ["hanoi"]
escalate = [{ after = "1h30m", to = ["boss"] }]
"""


def test_a_correct_file_becomes_brands_teams_and_routes(tmp_path: Path) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(CHANNELS + GOOD)
    found = load(path, {})
    assert found.brands == {"acme": frozenset({"lena", "mina"}), "Über": frozenset({"otto"})}
    (route,) = found.routes
    assert route.kols == {"lena", "mina", "nora"}
    assert route.platforms == {"tiktok"}
    assert route.pages_only
    assert route.channels == ()
    assert route.teams == (found.teams["hanoi"],)
    assert route.steps == (EscalationStep(timedelta(minutes=90), ("boss",)),)
    assert found.teams["hanoi"].opens(NOW) == NOW + timedelta(hours=13)


def line_of(text: str) -> int:
    """The line of a piece of the correct file."""
    return (CHANNELS + GOOD)[: (CHANNELS + GOOD).index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "at", "wanted"),
    [
        # unknown names
        ('"acme"]', '"acne"]', 'brands = ["acme"]',
         "there is no brand 'acne'; there are: acme, Über"),
        ('teams = ["hanoi"]', 'teams = ["hanio"]', 'teams = ["hanoi"]',
         "there is no team 'hanio'; there are: hanoi"),
        ('channels = ["desk"]', 'channels = ["deks"]', 'channels = ["desk"]',
         "there is no channel 'deks'; there are: boss, desk, phone"),
        ('on_call = ["phone"]', 'on_call = ["fone"]', "on_call", "there is no channel 'fone'"),
        ('to = ["boss"]', 'to = ["bos"]', "escalate", "there is no channel 'bos'"),
        ("Asia/Ho_Chi_Minh", "Asia/Hanoi", "timezone", "there is no time zone 'Asia/Hanoi'"),
        # nothing uses it
        ('teams = ["hanoi"]', 'channels = ["desk"]', "[teams.hanoi]",
         "no route leads to team 'hanoi'"),
        ('on_call = ["phone"]', "", "[channels.phone]", "no route leads to channel 'phone'"),
        # hours
        ("Sat 09:00-12:00", "Sat 9-12", "hours", "write hours like 'Mon-Fri 08:00-19:00'"),
        ("Sat 09:00-12:00", "Sta 09:00-12:00", "hours", "there is no day 'sta'"),
        ('hours = ["Mon-Fri 08:00-19:00", "Sat 09:00-12:00"]', "hours = []", "hours", "at least 1"),
        # nowhere to go
        ('channels = ["desk"]', "channels = []", "[teams.hanoi]",
         "there is nowhere to send what waits for the team's hours; name its channels"),
        ('on_call = ["phone"]', "on_call = []", "[teams.hanoi]",
         "there is nowhere to send a critical alert outside the hours"),
        ('hours = ["Mon-Fri 08:00-19:00", "Sat 09:00-12:00"]', "", "[teams.hanoi]",
         "on_call is for alerts outside the team's hours"),
        ('teams = ["hanoi"]', "", "[[routes]]", "a route leads to channels or teams"),
        # escalation
        ('to = ["boss"]', 'to = ["desk"]', "escalate",
         "step 1 escalates to 'desk', which the route notifies at the start"),
        ('to = ["boss"]', 'to = ["phone"]', "escalate", "step 1 escalates to 'phone', which"),
        ('"boss"] }', '"boss"] }, { after = "2h", to = ["boss"] }', "escalate",
         "goes in a circle: step 2 calls 'boss', which step 1 called"),
        ('"boss"] }', '"boss"] }, { after = "90m", to = ["boss"] }', "escalate",
         "step 2 does not come after step 1"),
        ("1h30m", "90", "escalate", "write a length of time like 15m, 2h, 1h30m or 1d"),
        ("1h30m", "", "escalate", "must be at least 1m and at most 7d"),
        ("1h30m", "8d", "escalate", "must be at least 1m and at most 7d"),
        ('after = "1h30m", ', "", "escalate", "escalate.0.after: Field required"),
        # order of the routes
        ("[[routes]]", '[[routes]]\nchannels = ["desk"]\n[[routes]]', "brands = [",
         "no alert reaches this route"),
        # shapes
        ('acme = ["lena", "mina"]', 'acme = "lena"', "acme", "brand 'acme': list the ids"),
        ('acme = ["lena", "mina"]', "acme = []", "acme", "brand 'acme': list the ids"),
        ("[brands]\n", "brands = 1\n[other]\n", "[brands]", "unknown key"),
        ("[teams.hanoi]\n", "[teams]\nhanoi = 1\n[other]\n", "[teams.hanoi]", "must be a table"),
        ("pages_only = true", "page_only = true", "pages_only", "page_only: there is no such key"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(
    tmp_path: Path, old: str, new: str, at: str, wanted: str
) -> None:
    assert GOOD.count(old) == 1
    changed = (CHANNELS + GOOD).replace(old, new)
    path = tmp_path / "channels.toml"
    path.write_text(changed)
    with pytest.raises(InvalidConfig) as raised:
        load(path, {})
    found = [(issue.line, issue.message) for issue in raised.value.issues]
    moved = wanted in {"no alert reaches this route", "unknown key", "must be a table"}
    expected = line_of(at) + moved  # by the line that was put in before it
    assert [line for line, message in found if wanted in message] == [expected], found


def test_routes_that_match_the_same_name_each_other(tmp_path: Path) -> None:
    path = tmp_path / "channels.toml"
    route = '[[routes]]\nkols = ["lena"]\nchannels = ["desk", "phone", "boss"]\n'
    path.write_text(CHANNELS + route + route.replace("lena", "mina") + route)
    with pytest.raises(InvalidConfig) as raised:
        load(path, {})
    (issue,) = raised.value.issues
    assert issue.line == 16
    assert "matches exactly what the route on line 10 takes" in issue.message
    path.write_text(CHANNELS + route.replace("]\nch", "]\ncontinue = true\nch") + route)
    assert len(load(path, {}).routes) == 2


@pytest.mark.parametrize(
    ("old", "new"), [('"acme"]', '"acne"]'), ('acme = ["lena", "mina"]', "acme = 1")]
)
def test_a_wrong_brand_is_reported_once(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "channels.toml"
    path.write_text((CHANNELS + GOOD.replace('kols = ["nora"]\n', "")).replace(old, new))
    with pytest.raises(InvalidConfig) as raised:
        load(path, {})
    assert len(raised.value.issues) == 1


def test_the_documented_example_is_right(tmp_path: Path) -> None:
    document = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text()
    (example,) = re.findall(r"```toml\n(\[brands\].*?)```", document, flags=re.DOTALL)
    names = ("hanoi-desk", "hanoi-phone", "new-york-desk", "head-of-pr", "ceo")
    path = tmp_path / "channels.toml"
    path.write_text(
        example
        + "".join(f'[channels.{name}]\ntype = "slack"\nurl = "https://{name}"\n' for name in names)
    )
    found = load(path, {})
    assert [team.name for team in found.routes[0].teams] == ["hanoi", "new-york"]
    assert [step.to for step in found.routes[0].steps] == [("head-of-pr",), ("ceo",)]
