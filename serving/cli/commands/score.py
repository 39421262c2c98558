"""groundswell score: score texts with the model."""

import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.options import AsJson, Model

if TYPE_CHECKING:
    from model.types import Prediction

_FILES = (".txt", ".csv", ".tsv", ".parquet", ".pq", ".ndjson", ".jsonl", ".gz")
_AT_ONCE = 500
_SHOWN = 20


def score(
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT|FILE",
            help="Texts; or one file: txt with a text a line, csv, tsv, ndjson, jsonl or parquet.",
            show_default=False,
        ),
    ],
    text_column: Annotated[
        str, typer.Option("--text-column", help="The column of the file that holds the texts.")
    ] = "text",
    model: Model = None,
    as_json: AsJson = False,
) -> None:
    """Score texts as negative, neutral or positive. Nothing is stored, and no service is needed.

    Of a file, the first 20 texts and the counts are shown. --json prints every text, one a line.
    """
    from model.classifier import SentimentClassifier
    from serving.cli import terminal
    from serving.cli.output.prediction_table import prediction_table

    settings = terminal.settings(model=model)
    source = _texts(texts, text_column)
    first = list(itertools.islice(source, _AT_ONCE))
    classifier = SentimentClassifier.load(settings.model, threads=settings.model_threads)
    shown: list[tuple[str, Prediction]] = []
    counts: Counter[str] = Counter()
    is_file = _file(texts) is not None
    chunk = first
    while chunk:
        for text, prediction in zip(chunk, classifier.predict(chunk), strict=True):
            counts[prediction.label.value] += 1
            if as_json:
                row = {"text": text} | _row(prediction)
                sys.stdout.write(
                    terminal.printable(json.dumps(row, ensure_ascii=not _printable(text))) + "\n"
                )
            elif not is_file or len(shown) < _SHOWN:
                shown.append((text, prediction))
        chunk = list(itertools.islice(source, _AT_ONCE))
    if as_json:
        return
    terminal.out.print(prediction_table(shown))
    if is_file:
        parts = ", ".join(f"{count:,} {label}" for label, count in counts.most_common())
        terminal.say(f"{counts.total():,} texts: {parts or 'none'}")


def _file(texts: Sequence[str]) -> Path | None:
    """The argument as a file, if it is the only one and names a file."""
    if len(texts) != 1 or "\0" in texts[0] or len(texts[0]) > 255:
        return None
    path = Path(texts[0])
    is_name = path.suffix.lower() in _FILES and " " not in texts[0]
    return path if is_name or path.is_file() else None


def _texts(texts: Sequence[str], column: str) -> Iterator[str]:
    from serving.errors import InputError
    from serving.ingest.importers.byte_source import ByteSource
    from serving.ingest.importers.field_source import column_of
    from serving.ingest.importers.raw_row import ReaderOptions
    from serving.ingest.importers.registry import format_of

    path = _file(texts)
    if path is None:
        yield from texts
        return
    if path.suffix.lower() == ".txt":
        yield from _lines(path)
        return
    source = ByteSource(path, path.name)
    reader = format_of(source).open(source, ReaderOptions(names=frozenset({column.casefold()})))
    try:
        name = column
        if reader.columns is not None:
            found = column_of(column, reader.columns)
            if found is None:
                raise InputError(
                    f"{path.name} has no column {column!r}; name one with --text-column. Its "
                    f"columns: {', '.join(reader.columns)}"
                )
            name = found
        for row in reader.rows():
            if row.cells is None:
                raise InputError(f"{path.name}, {reader.unit} {row.number}: {row.fault}")
            yield str(row.cells.get(name) or "")
    finally:
        reader.close()


def _lines(path: Path) -> Iterator[str]:
    from serving.errors import InputError

    try:
        with path.open(encoding="utf-8-sig") as lines:
            for line in lines:
                yield line.rstrip("\r\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not UTF-8; save it as UTF-8") from None


def _row(prediction: "Prediction") -> dict[str, object]:
    """A prediction as `POST /v1/score` answers it."""
    return {
        "negative": prediction.negative,
        "neutral": prediction.neutral,
        "positive": prediction.positive,
        "offensive": prediction.offensive,
        "label": prediction.label.value,
        "empty": prediction.empty,
        "windows": prediction.windows,
        "language": prediction.language,
        "in_scope": prediction.in_scope,
    }


def _printable(text: str) -> bool:
    """Whether a text can be written as UTF-8; lone surrogates cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
