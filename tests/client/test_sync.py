"""The client without asyncio: that it is current, and the same as the other."""

import inspect
from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from groundswell_client import AsyncClient, Client, _sync
from groundswell_client.errors import ConnectionLost
from tests.client.fake_service import FakeService

ROOT = Path(__file__).parents[2]
FOLDER = Path(_sync.__file__).parent


def write_sync() -> ModuleType:
    spec = spec_from_file_location("write_sync", ROOT / "clients/python/write_sync.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_what_the_other_makes_it() -> None:
    written = {path.name: path.read_text() for path in FOLDER.glob("*.py")}
    assert written == write_sync().sync_files(), "run `make client`"


def test_both_have_the_same_calls() -> None:
    def calls(client: object) -> dict[str, set[str]]:
        nouns = {name: one for name, one in vars(client).items() if not name.startswith("_")}
        found = {
            f"{noun}.{name}": set(inspect.signature(call).parameters)
            for noun, one in nouns.items()
            for name, call in inspect.getmembers(one, callable)
            if not name.startswith("_")
        }
        return found | {"": {name for name in dir(client) if not name.startswith("_")}}

    ours, others = calls(Client("http://test")), calls(AsyncClient("http://test"))
    assert ours == others
    assert "alerts.acknowledge" in ours


def test_it_sends_lists_and_streams() -> None:
    service = FakeService()
    with service.sync_client() as client:
        receipt = client.comments.send({"bad": number} for number in range(3))
        assert (receipt.rejected, [item.index for item in receipt.items]) == (3, [0, 1, 2])
        assert client.status().log.backlog == 0
    body = 'event: alert\nid: 3\ndata: {"a": 1}\n\n'
    answer = httpx.Response(200, text=body, headers={"Content-Type": "text/event-stream"})
    events = FakeService(lambda _: answer).sync_client().stream()
    assert [(event.name, event.event_id) for event in islice(events, 2)] == [
        ("open", None),
        ("alert", "3"),
    ]
    with pytest.raises(ConnectionLost, match="closed the stream"):
        next(events)
