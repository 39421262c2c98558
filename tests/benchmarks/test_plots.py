"""Intervals by KOL, timelines, and the page that is drawn from a result."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.crisis import protocol
from benchmarks.crisis.bench import OURS, Cost, DetectorRow, KolResult
from benchmarks.crisis.bootstrap import crisis_intervals, false_interval, later, paired_intervals
from benchmarks.crisis.details import details, details_path, save_details
from benchmarks.crisis.peers import PEERS
from benchmarks.crisis.plots import draw, within
from benchmarks.crisis.report import figures
from benchmarks.crisis.scoring import Caught, FalsePage, KolOutcome, judge
from benchmarks.crisis.stream import SimulatedIncident, Stream
from benchmarks.crisis.timeline import timeline, worst

START = protocol.WARM_UP_DAYS * protocol.MINUTES_PER_DAY + 5_000


def caught(delay: float | None, kind: str = "flash", tier: str = "mid") -> Caught:
    return Caught(f"{tier}-0", tier, kind, delay, 1, 0, 3.0)


def outcomes(*delays: float | None) -> list[KolOutcome]:
    return [KolOutcome((caught(delay), caught(delay, "slow")), ()) for delay in delays]


def test_intervals_hold_the_figure_and_are_wider_for_fewer_kols():
    few, many = outcomes(*[4.0, 8.0, None] * 3), outcomes(*[4.0, 8.0, None] * 40)
    widths = []
    for some in (few, many):
        found = crisis_intervals(some, [outcome.caught for outcome in some])
        low, high = found["recall"]
        assert low <= 2 / 3 <= high
        assert found["delay_median"][0] <= 8.0 <= found["delay_median"][1]
        widths.append(high - low)
    assert widths[0] > 2 * widths[1] > 0


def test_intervals_draw_kols_and_not_crises():
    one = outcomes(*[4.0, None] * 10)
    half = crisis_intervals(one, [outcome.caught[:1] for outcome in one])
    both = crisis_intervals(one, [outcome.caught for outcome in one])
    assert half == both  # the second crisis of a KOL is no news here


def test_a_shape_that_was_always_caught_has_no_spread():
    some = outcomes(4.0, 4.0, None)
    chosen = [[crisis for crisis in outcome.caught if crisis.delay] for outcome in some]
    found = crisis_intervals(some, chosen)
    assert found == {"recall": (1.0, 1.0), "delay_median": (4.0, 4.0)}


def test_false_pages_are_counted_by_kol_and_week():
    page = FalsePage("mid-0", "mid", START, "normal")
    some = [KolOutcome((), (page,) * 6), KolOutcome((), ())] * 20
    low, high = false_interval(some)
    assert low < 0.5 < high
    assert low > 0.2


def test_a_pair_of_equals_differs_by_nothing_and_a_worse_one_by_less():
    good, bad = outcomes(*[4.0] * 20), outcomes(*[4.0, None] * 10)
    assert paired_intervals(good, good) == {"recall": (0.0, 0.0), "later": (0.0, 0.0)}
    low, high = paired_intervals(bad, good)["recall"]
    assert -1 < low < -0.4 < high < 0


def test_what_both_caught_is_compared_crisis_by_crisis():
    one, other = outcomes(7.0, 200.0, None, 9.0), outcomes(4.0, 190.0, 5.0, None)
    assert later(one, other) == [[3.0, 3.0], [10.0, 10.0], [], []]
    low, high = paired_intervals(one, other)["later"]
    assert (low, high) == (3.0, 10.0)


def test_figures_by_shape_and_tier_keep_the_protocols_order():
    some = [KolOutcome((caught(1.0, "slow", "mega"), caught(2.0, "flash", "nano")), ())] * 3
    found = figures(DetectorRow(OURS, 0.1, 0.43, tuple(some)))
    assert list(found["by_shape"]) == ["flash", "slow"]
    assert list(found["by_tier"]) == ["nano", "mega"]
    assert found["by_tier"]["nano"]["interval_95"]["delay_median"] == (2.0, 2.0)


@pytest.fixture(scope="module")
def test_kols() -> list[KolResult]:
    rng = np.random.default_rng(1)
    results = []
    for index, tier in enumerate(protocol.TIERS):
        crisis = SimulatedIncident("flash", True, START, START + 370, 3.0)
        other = SimulatedIncident("flip", True, START + 20_000, START + 21_440, None)
        viral = SimulatedIncident("viral", False, START + 9_000, START + 9_360, None)
        counts = rng.poisson(3, protocol.MINUTES)
        dark = rng.binomial(counts, 0.2)
        stream = Stream(
            f"{tier.name}-{index}", tier.name, counts, dark, dark, (crisis, viral, other)
        )
        pages = [START + 9, START + 9_100]
        outcome = judge(stream, pages, [(START + 9, START + 390)])
        line = timeline(stream, pages, [(START + 9, START + 390)], outcome)
        budgets = dict.fromkeys(protocol.BUDGETS, outcome)
        peers = {peer.name: [outcome] * len(peer.grid) for peer in PEERS}
        cost = Cost(tier.name, 1, 1.0, 1, int(counts.sum()))
        results.append(KolResult(budgets, peers, cost, line))
    return results


def test_a_timeline_tells_hits_misses_and_false_pages(test_kols):
    line = test_kols[0].timeline
    assert len(line.comments) == (protocol.DAYS - protocol.WARM_UP_DAYS) * 24
    assert sum(line.comments) > sum(line.negative) > 0
    assert line.missed == 1
    assert line.false == (START + 9_100,)
    assert line.faults == 2
    assert line.resolutions == (START + 390,)


def test_the_worst_of_every_tier_is_chosen(test_kols):
    stories = [result.timeline for result in test_kols]
    better = replace(stories[2], kol="better", missed=0)
    worse = replace(stories[2], kol="worse", missed=2)
    chosen = worst([*stories, better, worse])
    assert [line.kol for line in chosen] == ["nano-0", "micro-1", "worse", "macro-3", "mega-4"]


def test_share_known_within():
    shares = within([2.0, 10.0, None, 500.0], np.array([1.0, 2.0, 60.0, 1440.0]))
    assert shares.tolist() == [0.0, 0.25, 0.5, 0.75]


def test_the_page_is_drawn_from_the_result_alone(test_kols, tmp_path):
    table = [
        DetectorRow(OURS, budget, 0.43, tuple(result.ours[budget] for result in test_kols))
        for budget in protocol.BUDGETS
    ]
    path = details_path(tmp_path / "crisis_5.json")
    assert path.name == "crisis_5_details.json"
    save_details(path, details(test_kols, table))
    content = json.loads(path.read_text())
    assert len(content["crises"]) == 10
    assert set(content["curves"]) == {OURS, *(peer.name for peer in PEERS)}
    result = {"kols": 5, "comments": 1_234_567, "seeds": {"measured": 1}}
    for folder in (tmp_path / "one", tmp_path / "two"):
        draw(result, content, folder)
    page = " ".join((tmp_path / "one" / "README.md").read_text().split())
    assert "1,234,567 comments" in page
    assert "5 of 10 by the engine" in page
    attachments = sorted(file.name for file in (tmp_path / "one").glob("*.svg"))
    assert len(attachments) == 4
    for name in attachments:
        assert f"({name})" in page
        drawn = (tmp_path / "one" / name).read_text()
        assert drawn == (tmp_path / "two" / name).read_text()
    line = (tmp_path / "one" / "timelines.svg").read_text()
    assert "flip, missed" in line
    assert "false page" in line
