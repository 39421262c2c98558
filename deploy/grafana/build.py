"""Write the dashboards as JSON: `python -m deploy.grafana.build`."""

import json
from pathlib import Path

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import kol, overview, service

FOLDER = Path(__file__).parent / "dashboards"


def documents() -> dict[str, str]:
    """File name → content of every dashboard."""
    boards = {"overview": overview.build(), "kol": kol.build(), "service": service.build()}
    return {f"{name}.json": _text(board) for name, board in boards.items()}


def _text(board: Dashboard) -> str:
    built = board.build()
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in documents().items():
        (FOLDER / name).write_text(content, "utf-8")
