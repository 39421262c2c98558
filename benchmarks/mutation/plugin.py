"""A pytest plugin: records which lines each test runs, or runs tests in a given order."""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import hypothesis
import pytest

# The same examples in every run, and none remembered from the mutant before.
hypothesis.settings.register_profile("mutation", derandomize=True, database=None)
hypothesis.settings.load_profile("mutation")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file to record to, or the file with the order."""
    parser.addoption("--record-lines", type=Path)
    parser.addoption("--in-order", type=Path)


class _Recorder:
    def __init__(self, out: Path) -> None:
        self._out = out
        self._coverage = coverage.Coverage(data_file=None, source=["monitoring", "serving"])
        self._coverage.set_option("run:concurrency", ["thread", "greenlet"])
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._coverage.start()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        yield
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        lines = {
            Path(file).relative_to(Path.cwd()).as_posix(): data.contexts_by_lineno(file)
            for file in data.measured_files()
        }
        recorded = {"seconds": self._seconds, "lines": lines, "modules": sorted(sys.modules)}
        self._out.write_text(json.dumps(recorded))


class _Sorter:
    def __init__(self, order: Path) -> None:
        names = json.loads(order.read_text())
        self._place = {name: place for place, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._place.get(item.nodeid, len(self._place)))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Records, orders, or does nothing, as the options say; before our code is imported."""
    if out := early_config.known_args_namespace.record_lines:
        early_config.pluginmanager.register(_Recorder(out))
    if order := early_config.known_args_namespace.in_order:
        early_config.pluginmanager.register(_Sorter(order))
