"""Whatever bytes a file holds, an import ends, says what it read, and raises nothing else."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.ingest.importers.imported import Imported, imported, items
from tests.serving.ingest.importers.test_formats import PACKERS, WRITERS

often = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = [file for file, _ in WRITERS.values()] + ["c", "c.csv.gz", "c.zip", "c.tsv"]

# Each format as it is and compressed; made once, for some hold the time.
WRITTEN = {
    kind: [(plain := writer(items(4))), *(packer(plain) for packer in PACKERS.values())]
    for kind, (_, writer) in WRITERS.items()
}


def bytes_imported(folder: Path, name: str, content: bytes) -> Imported:
    path = folder / name
    path.write_bytes(content)
    (folder / f"{name}.rejected.csv").unlink(missing_ok=True)
    return imported(path, kol="lena", platform="x")


@often
@given(st.sampled_from(NAMES), st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    found = bytes_imported(tmp_path, name, content)
    assert found.items or found.rejected or found.failure or found.count.files[0].left_out


@often
@given(
    st.sampled_from(NAMES), st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "cp1252"])
)
def test_any_text(tmp_path: Path, name: str, content: str, encoding: str) -> None:
    bytes_imported(tmp_path, name, content.encode(encoding, "replace"))


@often
@given(data=st.data())
@pytest.mark.parametrize("kind", WRITERS)
def test_a_few_bytes_changed(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(WRITTEN[kind])))
    for place, byte in data.draw(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)))):
        content[int(place * len(content))] = byte
    found = bytes_imported(tmp_path, WRITERS[kind][0], bytes(content))
    assert found.items or found.rejected or found.failure


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=60)


@often
@given(
    rows=st.lists(texts, min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_text_that_csv_can_write_is_read(
    tmp_path: Path, rows: list[str], delimiter: str, quoting: Any, end: str
) -> None:
    """Whatever is in the texts: delimiters, quotation marks, line breaks, rows of other files."""
    table = io.StringIO(newline="")
    out = csv.writer(table, delimiter=delimiter, quoting=quoting, lineterminator=end)
    out.writerow(["platform", "comment_id", "kol_id", "text", "created_at"])
    for number, text in enumerate(rows):
        out.writerow(["x", f"c{number}", "lena", text, f"2026-11-20T10:0{number}:00Z"])
    found = bytes_imported(tmp_path, "c.csv", table.getvalue().encode())
    assert [row["reason"] for row in found.rejected] == []
    assert [item["text"] for item in found.items] == [repaired(text) for text in rows]


def repaired(text: str) -> str:
    """What the reader of texts makes of it, so that only the table is tested."""
    from serving.ingest.placeholders import is_placeholder
    from serving.ingest.values.text import repair

    whole = repair(text) or text
    return "" if is_placeholder(whole) else whole


lines = st.sampled_from(
    [
        'x,s{n},lena,"open,2026-11-20T10:00:00Z',
        'x,s{n},lena,a 7" plate,2026-11-20T10:00:00Z',
        'x,s{n},lena,closed",2026-11-20T10:00:00Z',
        'x,s{n},lena,"fine",2026-11-20T10:00:00Z',
        'x,s{n},lena,"two ""words""",2026-11-20T10:00:00Z',
        "x,s{n},lena,plain,2026-11-20T10:00:00Z",
        'x,s{n},lena,"bad" end,2026-11-20T10:00:00Z',
    ]
)


@often
@given(st.lists(lines, min_size=1, max_size=12))
def test_no_row_swallows_another(tmp_path: Path, written: list[str]) -> None:
    numbered = [line.replace("{n}", str(number)) for number, line in enumerate(written)]
    head = "platform,comment_id,kol_id,text,created_at"
    found = bytes_imported(tmp_path, "c.csv", "\n".join([head, *numbered, ""]).encode())
    read = {int(one.removeprefix("s")) for one in found.by_id}
    refused = {number - 2 for number in found.refused}
    assert read | refused == set(range(len(written)))
    assert not read & refused
    assert all("2026-11-20" not in item["text"] for item in found.items)
    assert {n for n, line in enumerate(written) if "open" not in line and "bad" not in line} <= read


def test_a_cancelled_import_stops(tmp_path: Path) -> None:
    """A thread cannot be cancelled, so it looks now and then."""
    import asyncio

    from serving.ingest.importers.import_options import ImportOptions
    from serving.ingest.importers.importer import Importer
    from serving.ingest.importers.rejected import RejectedFiles
    from tests.serving.ingest.importers.imported import NOW, MemorySink, write_ndjson

    path = write_ndjson(tmp_path / "c.ndjson", items(20_000))
    seen: list[float] = []
    halted: Callable[[], object] = lambda: None  # noqa: E731

    class Bars:
        def reading(self, file: str, fraction: float) -> None:
            seen.append(fraction)
            halted()

        def sending(self, done: int, total: int) -> None:
            raise AssertionError("nothing is sent")

    async def stopped() -> None:
        nonlocal halted
        importer = Importer(ImportOptions(), MemorySink(), RejectedFiles([path]), Bars())
        loop = asyncio.get_running_loop()
        task = asyncio.create_task(importer.run([(path, path.name)], NOW))
        reached = asyncio.Event()
        halted = lambda: loop.call_soon_threadsafe(reached.set)  # noqa: E731
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    assert seen[-1] < 1
