"""The digests of a channels file: what they become, and what is said of faults, by line."""

from datetime import time
from pathlib import Path

import pytest

from serving.notify.config.notification_config import InvalidConfig, NotificationConfig, load

MAIL = """[channels.{name}]
type = "email"
url = "smtps://mail.example.com"
from = "alerts@example.com"
to = ["pr@example.com"]
"""
FILE = (
    MAIL.format(name="desk")
    + MAIL.format(name="boss")
    + """[channels.room]
type = "slack"
url = "https://hooks.slack.com/services/T/B/x"
[brands]
acme = ["lena", "mina"]
[teams.hanoi]
timezone = "Asia/Ho_Chi_Minh"
channels = ["room", "desk"]
[teams.chat]
channels = ["room"]
[[routes]]
brands = ["acme"]
kols = ["otto"]
teams = ["hanoi"]
continue = true
[[routes]]
channels = ["room"]
teams = ["chat"]
"""
)

BOSS = '[digests.other]\nevery = "week"\nchannels = ["boss"]\n'


def read(tmp_path: Path, digests: str) -> NotificationConfig:
    path = tmp_path / "channels.toml"
    path.write_text(FILE + digests)
    return load(path, {})


def test_a_good_file_becomes_digests(tmp_path: Path) -> None:
    morning, weekly, brand = read(
        tmp_path,
        """
[digests.morning]
every = "day"
team = "hanoi"
[digests.weekly]
every = ["week", "day", "week"]
at = "18:30"
timezone = "Europe/Berlin"
channels = ["boss"]
[digests.brand]
every = "day"
team = "hanoi"
brands = ["acme"]
kols = ["nora"]
channels = ["boss", "boss"]
""",
    ).digests
    assert (morning.name, morning.every, morning.at) == ("morning", ("day",), time(8))
    assert morning.zone.key == "Asia/Ho_Chi_Minh"
    assert morning.channels == ("desk",)  # of the team's channels the e-mail
    assert morning.kols == {"lena", "mina", "otto"}  # whom the routes lead to the team
    assert (weekly.every, weekly.at, weekly.zone.key) == (
        ("week", "day"), time(18, 30), "Europe/Berlin",
    )  # fmt: skip
    assert (weekly.channels, weekly.kols) == (("boss",), None)
    assert brand.channels == ("boss",)
    assert brand.kols == {"lena", "mina", "nora"}


def test_a_team_with_all_alerts_has_a_digest_of_all(tmp_path: Path) -> None:
    (found,) = read(
        tmp_path, '[digests.all]\nevery = "day"\nteam = "chat"\nchannels = ["boss"]\n'
    ).digests
    assert found.kols is None


@pytest.mark.parametrize(
    ("digest", "line", "said"),
    [
        ("[digests.a]", 1, "every: Field required"),
        ('[digests.a]\nevery = "month"\nchannels = ["boss"]', 2, "every.0: Input should be 'day'"),
        ('[digests.a]\nevery = []\nchannels = ["boss"]', 2, "every: List should have at least 1"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\nat = "8:00"', 4, "like '08:00'"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\nat = "24:00"', 4, "like '08:00'"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\nat = 8', 4, "like '08:00'"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\nhour = 8', 4, "there is no such key"),
        ('[digests.a]\nevery = "day"', 1, "name the channels that it is sent on, or a team"),
        ('[digests.a]\nevery = "day"\nchannels = ["bos"]', 3, "no channel 'bos'; there are: boss"),
        ('[digests.a]\nevery = "day"\nchannels = ["room"]', 3, "'room' is of type slack"),
        ('[digests.a]\nevery = "day"\nteam = "saigon"', 3, "no team 'saigon'; there are: chat"),
        ('[digests.a]\nevery = "day"\nteam = "chat"', 3, "'chat' has no channel of type email"),
        ('[digests.a]\nevery = "day"\nteam = "hanoi"\ntimezone = "UTC"', 1, "leave timezone out"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\ntimezone = "Mars/X"', 4,
         "there is no time zone 'Mars/X'"),
        ('[digests.a]\nevery = "day"\nchannels = ["boss"]\nbrands = ["acne"]', 4,
         "no brand 'acne'; there are: acme"),
        ('[digests.A]\nevery = "day"\nchannels = ["boss"]', 1, "digest name 'A'"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_line(tmp_path: Path, digest: str, line: int, said: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        # Another digest leads to the channel that no route does.
        read(tmp_path, f"{digest}\n{BOSS}")
    above = FILE.count("\n")
    found = [(issue.line - above, issue.message) for issue in raised.value.issues]
    assert [where for where, message in found if said in message] == [line], found
    assert len(found) == 1


@pytest.mark.parametrize("text", ["digests = 1", "[digests]\na = 1"])
def test_digests_are_tables(tmp_path: Path, text: str) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(f"{text}\n{FILE}" if "[" not in text else f"{FILE}{text}\n")
    with pytest.raises(InvalidConfig) as raised:
        load(path, {})
    assert [issue.message for issue in raised.value.issues if "write [digests." in issue.message]


def test_a_channel_that_nothing_leads_to_is_still_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="no route leads to channel 'boss'"):
        read(tmp_path, "")


def test_the_documented_digests_are_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "digests.md").read_text()
    example = text.split("```toml")[1].split("```")[0]
    hanoi, acme = read(tmp_path, MAIL.format(name="head-of-pr") + example + BOSS).digests[:2]
    assert (hanoi.channels, acme.channels) == (("desk",), ("head-of-pr",))
    assert acme.every == ("day", "week")
