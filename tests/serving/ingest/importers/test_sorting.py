"""The external sort: whatever the order, size and memory, rows come out by time, each once."""

import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.ingest.importers import sorted_runs
from serving.ingest.importers.rounded_ids import RoundedIds
from serving.ingest.importers.sorted_runs import SortedRuns
from tests.serving.ingest.importers.imported import imported, items, write_ndjson


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(2**60), 2**60), st.binary(max_size=40)), max_size=200),
    st.integers(1, 20_000),
)
def test_rows_come_out_by_time_and_equal_ones_in_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bytes]], budget: int
) -> None:
    runs = SortedRuns(tmp_path_factory.mktemp("runs"), budget)
    for number, (at, line) in enumerate(rows):
        runs.add(at, 3, number, number % 2 == 0, line)
    found = list(runs.rows())
    expected = sorted(range(len(rows)), key=lambda number: rows[number][0])
    assert [row.number for row in found] == expected
    assert [(row.at, row.line) for row in found] == [rows[number] for number in expected]
    assert all(row.file == 3 and row.rounded == (row.number % 2 == 0) for row in found)


def test_many_runs_are_merged_so_that_few_files_are_open(tmp_path: Path) -> None:
    runs = SortedRuns(tmp_path, 1)
    for number in range(400):
        runs.add(-number, 0, number, False, b"x")
        assert len(list(tmp_path.iterdir())) <= sorted_runs._MOST_RUNS + 1
    assert [row.number for row in runs.rows()] == list(range(399, -1, -1))


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    budget, line = 2**20, b"x" * 200
    at = random.Random(1).sample(range(60_000), 60_000)

    def peak(count: int, folder: str) -> int:
        (tmp_path / folder).mkdir()
        runs = SortedRuns(tmp_path / folder, budget)
        tracemalloc.start()
        for number in range(count):
            runs.add(at[number], 0, number, False, line)
        last = -1
        for row in runs.rows():
            assert row.at > last
            last = row.at
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    small, large = peak(15_000, "small"), peak(60_000, "large")
    assert 60_000 * len(line) > 10 * budget
    assert large < small + 16 * 2**20  # a buffer for each run that is merged


def test_a_file_larger_than_the_memory_is_imported_in_order(tmp_path: Path) -> None:
    rows = [
        row | {"created_at": f"2026-11-{n * 7919 % 28 + 1:02}T{n % 24:02}:{n % 60:02}:00Z"}
        for n, row in enumerate(items(3000))
    ]
    path = write_ndjson(tmp_path / "c.ndjson", rows)
    found = imported(path, budget=10_000)
    assert path.stat().st_size > 10 * 10_000
    times = [item["created_at"] for item in found.items]
    assert times == sorted(times)
    assert len(found.by_id) == 3000


@pytest.mark.parametrize(
    ("ids", "certain"),
    [
        ([], False),
        (["1990123456789010000"] * 2, False),  # too few
        (["1990123456789010000"] * 3, True),
        (["199012345678901000", "199012345678912000", "199012345678923000"], True),
        (["1990123456789012345"] * 9 + ["1990123456789010000"] * 9, False),
        (["1795637964000000"] * 9, False),  # microseconds of whole seconds
        (["123456789012345"] * 9, False),  # 15 digits are kept
        (["abc0000"] * 9, False),
    ],
)
def test_when_ids_are_taken_for_rounded(ids: list[str], certain: bool) -> None:
    rounded = RoundedIds()
    for one in ids:
        rounded.add(one)
    assert rounded.certain is certain
