"""A type of source is one file: the toy keeps the contract, and nothing else names it."""

import pytest

from tests.sources.source_contract import SourceContract
from tests.sources.toy_platform import ToyPlatform
from tests.sources.toy_source import TOY


@pytest.mark.parametrize(("source_type", "fake_class"), [(TOY, ToyPlatform)])
class TestToySource(SourceContract):
    """The contract, on the toy."""
