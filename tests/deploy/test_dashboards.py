"""The committed dashboards match the builder, and everything they refer to exists."""

import json
import re
from typing import Any

import pytest

from tests.deploy.daemons import DEPLOY
from tests.deploy.test_rules import check_names

pytest.importorskip("grafana_foundation_sdk", reason="it comes with the extra dev")

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import build

FILES = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {path.stem: json.loads(path.read_text()) for path in FILES}
every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=list(BOARDS))


def test_the_files_match_the_builder() -> None:
    assert {path.name: path.read_text("utf-8") for path in FILES} == build.documents(), (
        "the dashboards changed; to write them anew, run: python -m deploy.grafana.build"
    )


@every_board
def test_the_sdk_knows_every_key(board: dict[str, Any]) -> None:
    """The SDK drops unknown keys, so a misspelt key would be missing."""
    register_default_plugins()
    read = Dashboard.from_json(json.loads(json.dumps(board)))
    assert json.loads(json.dumps(read, cls=JSONEncoder)) == board


@every_board
def test_every_panel_is_explained(board: dict[str, Any]) -> None:
    panels = [panel for panel in board["panels"] if panel["type"] not in ("row", "text")]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"]
        assert defaults["noValue"]
        assert panel["type"] == "table" or defaults["thresholds"]["steps"]
        for target in panel["targets"]:
            check_names(target["expr"])


@every_board
def test_no_panel_covers_another(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


@every_board
def test_all_variables_and_links_resolve(board: dict[str, Any]) -> None:
    text = json.dumps(board)
    variables = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z_]+)\b", text))
    assert {name for name in used if not name.startswith("__")} == variables
    uids = {other["uid"] for other in BOARDS.values()}
    assert set(re.findall(r"/d/([\w-]+)/", text)) <= uids
    assert [link["tags"] for link in board["links"]] == [["groundswell"]]
    assert "groundswell" in board["tags"]
