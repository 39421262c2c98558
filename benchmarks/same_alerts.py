"""`python -m benchmarks.same_alerts`: checks that a change of the code changes no alert.

    python -m benchmarks.same_alerts record before.json     # in a checkout of the older commit
    python -m benchmarks.same_alerts record after.json      # in this one
    python -m benchmarks.same_alerts compare before.json after.json

Records all alerts and alert events with their evidence for three inputs: the airline stream of
February 2015 and the demo's two days, both through the whole service on the shipped model, and the
25 KOLs of the crisis benchmark, through the engine alone. `compare` maps renamed keys; all other
bytes must be equal. With
`--without-sentences` it leaves out what is written for people and changes with the wording: the
summary, and the reasons behind the verdict on the audience.
"""

import argparse
import asyncio
import importlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import policy_for
from benchmarks.crisis.ours import windows_of
from benchmarks.crisis.stream import generate
from monitoring.engine import Engine
from serving.app import create_app
from serving.settings import Settings

AIRLINES = Path("../shared/streams/airline_feb2015.parquet")
DEMO_ENDS = datetime(2026, 3, 2, 21, tzinfo=UTC)
KOLS = 25
# Renamed keys, old → new; applied to both sides.
RENAMED: Mapping[str, str] = {
    "act": "action",
    "act_id": "action_id",
    "acts": "actions",
    "work": "triage",
}
# Kinds of alert that the older commit did not have: left out of the comparison, and counted.
NEW_KINDS: frozenset[str] = frozenset({"attention_surge"})
_SENTENCES = frozenset({"summary", "reasons"})
_BATCH = 500
_DEMO_MODULES = ("serving.cli.demo.scenario", "serving.demo.scenario")


def airline_comments() -> list[dict[str, Any]]:
    """The airline stream as the API takes it, oldest first."""
    frame = pd.read_parquet(AIRLINES).sort_values(["created_at", "comment_id"])
    names = ["comment_id", "kol_id", "author_id", "text", "lang", "platform"]
    rows: list[dict[str, Any]] = frame[names].to_dict("records")
    for row, at in zip(rows, frame["created_at"], strict=True):
        row["created_at"] = at.isoformat()
    return rows


def demo_comments() -> list[dict[str, Any]]:
    """The demo's comments, at a fixed time."""
    for name in _DEMO_MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        items: list[dict[str, Any]] = module.generate(DEMO_ENDS)
        return items
    sys.exit(f"none of {', '.join(_DEMO_MODULES)} is in this checkout")


async def through_the_service(comments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every alert with its events, as the API shows them once every comment is processed."""
    with tempfile.TemporaryDirectory(prefix="groundswell-same-") as folder:
        settings = Settings(
            access="open",
            database_url=f"sqlite:///{folder}/log.db",
            log_level="error",
            _env_file=None,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://here", timeout=600
            ) as http:
                for first in range(0, len(comments), _BATCH):
                    answer = await http.post(
                        "/v1/comments", json=list(comments[first : first + _BATCH])
                    )
                    if answer.status_code != 202 or answer.json()["rejected"]:
                        sys.exit(f"the service answered {answer.status_code}: {answer.text}")
                await _processed(http)
                page = await _get(http, "/v1/alerts?limit=1000")
                if page["next_cursor"] is not None:
                    sys.exit("more than 1,000 alerts: read the further pages too")
                ids = sorted(alert["alert_id"] for alert in page["items"])
                return [await _get(http, f"/v1/alerts/{alert_id}") for alert_id in ids]


async def _processed(http: httpx.AsyncClient) -> None:
    """Wait until no comment of the log is left to process."""
    backlog = 1
    while backlog:
        await asyncio.sleep(0.5)
        backlog = (await _get(http, "/v1/status"))["log"]["backlog"]


async def _get(http: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await http.get(path)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def crisis_events() -> list[dict[str, Any]]:
    """Every event of the crisis benchmark's KOLs at each of its budgets."""
    found = []
    for index in range(KOLS):
        tier = protocol.TIERS[index % len(protocol.TIERS)]
        stream = generate(protocol.TEST_SEED, index, tier)
        for budget in protocol.BUDGETS:
            engine = Engine(policy=policy_for(budget))
            for window in windows_of(stream):
                found += [
                    {
                        "budget": budget,
                        "alert_id": event.alert_id,
                        "kol_id": event.kol_id,
                        "kind": event.kind,
                        "severity": event.severity,
                        "reason": event.reason,
                        "at": event.at.isoformat(),
                        "pages": event.pages,
                        "evidence": event.evidence.to_dict(),
                    }
                    for event in engine.observe_window(window)
                ]
    return found


def normal(value: object, left_out: Set[str]) -> object:
    """A recorded value under today's names, without some keys and the kinds that are new."""
    if isinstance(value, dict):
        return {
            RENAMED.get(key, key): normal(item, left_out)
            for key, item in value.items()
            if key not in left_out
        }
    if isinstance(value, list):
        return [
            normal(item, left_out)
            for item in value
            if not (isinstance(item, dict) and item.get("kind") in NEW_KINDS)
        ]
    return value


def compare(before: Path, after: Path, left_out: Set[str]) -> int:
    """Print what is equal and the first difference of what is not; 1 if anything differs."""
    one, other = (json.loads(path.read_text(encoding="utf-8")) for path in (before, after))
    differs = 0
    for name in sorted(one.keys() | other.keys()):
        left, right = (normal(side.get(name, []), left_out) for side in (one, other))
        assert isinstance(left, list)
        assert isinstance(right, list)
        texts = [json.dumps(side, sort_keys=True, ensure_ascii=False) for side in (left, right)]
        events = sum(len(item.get("events", [item])) for item in left if isinstance(item, dict))
        if texts[0] == texts[1] and left:
            size = len(texts[0].encode("utf-8", "surrogatepass"))
            print(f"{name}: {len(left)} records, {events} events, {size:,} bytes, equal")
            continue
        differs = 1
        print(f"{name}: DIFFERENT ({len(left)} records before, {len(right)} after)")
        for place, (was, now) in enumerate(zip(left, right, strict=False)):
            if was != now:
                print(f"  first at record {place}")
                _show(was, now, "")
                break
    return differs


def _show(was: object, now: object, where: str) -> None:
    """The first place at which two values differ."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                return _show(was.get(key), now.get(key), f"{where}.{key}")
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for place, (left, right) in enumerate(zip(was, now, strict=True)):
            if left != right:
                return _show(left, right, f"{where}[{place}]")
    print(f"  {where}: {was!r} before, {now!r} after")
    return None


def main() -> None:
    """Record, or compare two records."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_alerts", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record", help="write what this checkout raises")
    record.add_argument("out", type=Path)
    comparing = commands.add_parser("compare", help="exit 1 if two records differ")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--without-sentences", action="store_true")
    args = parser.parse_args()
    if args.command == "compare":
        left_out = _SENTENCES if args.without_sentences else frozenset[str]()
        sys.exit(compare(args.before, args.after, left_out))
    found = {
        "crisis": crisis_events(),
        "demo": asyncio.run(through_the_service(demo_comments())),
        "airlines": asyncio.run(through_the_service(airline_comments())),
    }
    args.out.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    print({name: len(items) for name, items in found.items()})


if __name__ == "__main__":
    main()
