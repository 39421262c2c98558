"""The rules of Prometheus and the routes of Alertmanager, by Debian's promtool and amtool."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.daemons import DEPLOY, ROOT, program

RULES = sorted((DEPLOY / "prometheus/rules").glob("*.yml"))
UNITS = sorted((Path(__file__).parent / "rules").glob("*.yml"))
ALERTING = [
    pytest.param(rule, id=rule["alert"])
    for path in RULES
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
]
_METRIC = re.compile(r"\bgroundswell_[a-z_]+\b")


def documented() -> set[str]:
    """Every metric of docs/metrics.md, with the series of its histograms."""
    names = set()
    for line in (ROOT / "docs/metrics.md").read_text().splitlines():
        if match := re.match(r"\| `(groundswell_\w+)` \| (\w+)", line):
            ends = ("_bucket", "_sum", "_count") if match[2] == "histogram" else ("",)
            names |= {match[1] + end for end in ends}
    return names


def recorded() -> set[str]:
    """Every series that a recording rule produces."""
    return set(re.findall(r"record: (\S+)", "".join(path.read_text() for path in RULES)))


def check_names(expr: str) -> None:
    """Check that the service or a recording rule produces every metric of an expression."""
    made = set(re.findall(r"\b\w+:\w+:\w+\b", expr))
    assert made <= recorded()
    for name in made:
        expr = expr.replace(name, "")
    assert set(_METRIC.findall(expr)) <= documented()


def run(*command: str | Path) -> str:
    name, *arguments = command
    done = subprocess.run(
        [program(str(name)), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_configuration_and_the_rules() -> None:
    assert len(RULES) == 3
    # The file of the key is a secret, which is not here; the rules are checked below.
    run("promtool", "check", "config", "--syntax-only", DEPLOY / "prometheus/prometheus.yml")
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_the_rules_fire_as_their_unit_tests_say(path: Path) -> None:
    run("promtool", "test", "rules", path)


@pytest.mark.parametrize("rule", ALERTING)
def test_a_rule_is_complete(rule: dict[str, Any]) -> None:
    name = rule["alert"]
    assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    assert f"\n## {name}\n" in (ROOT / "docs/runbook.md").read_text()
    assert rule["labels"]["team"] in ("pr", "service")
    if name != "GroundswellBacklash":  # its severity is the alert's
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
    units = "".join(path.read_text() for path in UNITS)
    parts = re.sub(r"Groundswell\(Kol\|Feed\)Silent", "GroundswellKolSilent", units)
    assert f'alertname="{name}"' in parts or f"alertname: {name}" in parts


def test_the_runbook_has_one_section_per_rule() -> None:
    sections = re.findall(r"^## (.+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert sorted(sections) == sorted(param.id or "" for param in ALERTING)


def test_the_rules_use_metrics_that_exist() -> None:
    for path in RULES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                check_names(rule["expr"])


def test_alertmanager_accepts_its_configuration() -> None:
    run("amtool", "check-config", DEPLOY / "alertmanager/alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (["alertname=Groundswell", "severity=critical", "kol=a"], "pr-on-call"),
        (["alertname=Groundswell", "severity=info", "kol=a"], "pr-desk"),
        (["alertname=GroundswellBacklash", "severity=warning", "team=pr"], "pr-desk"),
        (["alertname=GroundswellBacklash", "severity=critical", "team=pr"], "pr-on-call"),
        (["alertname=GroundswellDown", "severity=critical", "team=service"], "service-on-call"),
        (["alertname=GroundswellKolSilent", "severity=warning", "team=service"], "service"),
        (["alertname=SomethingElse", "severity=critical"], "service"),
    ],
)
def test_alerts_are_routed_to_their_receiver(labels: list[str], receiver: str) -> None:
    config = DEPLOY / "alertmanager/alertmanager.yml"
    chosen = run("amtool", "config", "routes", "test", f"--config.file={config}", *labels)
    assert chosen.split() == [receiver]
