"""Every type of source keeps the contract on its fake; a type without a fake fails."""

from importlib import import_module
from pathlib import Path

import pytest

from serving.sources.registry import source_types
from tests.sources.fake_platform import FakePlatform
from tests.sources.source_contract import SourceContract


def fake_of(name: str) -> type[FakePlatform]:
    """The fake of a type."""
    found: type[FakePlatform] = import_module(f"tests.sources.fakes.{name}").FAKE
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "source_type" in metafunc.fixturenames:
        types = source_types()
        metafunc.parametrize(
            ("source_type", "fake_class"),
            [(found, fake_of(name)) for name, found in types.items()],
            ids=list(types),
        )


class TestEverySource(SourceContract):
    """The contract, on each type of the table."""


def test_types_are_found() -> None:
    for name, found in source_types().items():
        assert found.name == name
        assert found.shapes


@pytest.mark.parametrize("name", source_types())
def test_the_page_of_a_type_is_there_and_listed(name: str) -> None:
    docs = Path(__file__).parents[2] / "docs" / "sources"
    assert (docs / f"{name}.md").is_file()
    assert f"| `{name}` |" in (docs / "README.md").read_text(encoding="utf-8")
