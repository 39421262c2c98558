"""How fast models score comments, how well, and how large they are, side by side.

    python -m benchmarks.classifier model/weights runs/groundswell-small/artifact

Every run is a process of its own that loads one model and scores the same val texts through
`SentimentClassifier.predict` (normalisation, pieces, language, network, calibration): one a call,
then all in one. The models take turns, so that whatever else the machine does falls on all alike.
The quality is what their manifests hold, measured on val when they were packaged.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier, shipped_weights
from training.data import load_corpus
from training.recipe import load_recipe

QUALITY = {  # figure, of macro-F1 → the group of texts that it is of, and its title
    "sentiment": ("all sentiment sets", "F1, mood"),
    "offensive": ("tweeteval_offensive", "F1, offensive"),
}
SPEEDS = {  # figure → its title and digits after the point
    "single": ("one a call, /s", 0),
    "batched": ("all in one, /s", 0),
    "cpu_seconds": ("CPU s for 1,000", 2),
    "load_seconds": ("load, s", 2),
}
_WARMING = 64  # texts scored before the watch starts
_CONSOLE = Console(width=150)


@dataclass(frozen=True, slots=True)
class Speed:
    """One run of one model.

    Attributes:
        load_seconds: until the model is ready.
        single: comments a second, each in a call of its own.
        batched: comments a second, all in one call.
        cpu_seconds: of all threads, for a thousand comments in one call.
    """

    load_seconds: float
    single: float
    batched: float
    cpu_seconds: float


def measure(artifact: Path, texts: Sequence[str], threads: int) -> Speed:
    """Load a model and score texts."""
    start = time.perf_counter()
    classifier = SentimentClassifier.load(artifact, threads=threads)
    loaded = time.perf_counter()
    classifier.predict(texts[:_WARMING])
    before = time.perf_counter()
    for text in texts:
        classifier.predict([text])
    between, cpu = time.perf_counter(), time.process_time()
    classifier.predict(texts)
    after, cpu = time.perf_counter(), time.process_time() - cpu
    return Speed(
        load_seconds=loaded - start,
        single=len(texts) / (between - before),
        batched=len(texts) / (after - between),
        cpu_seconds=1000 * cpu / len(texts),
    )


def turns(models: int, rounds: int) -> Iterator[int]:
    """Whose turn it is: everybody's once a round, each round begun by the next."""
    for first in range(rounds):
        for place in range(models):
            yield (first + place) % models


def run(
    artifacts: Sequence[Path], texts: Sequence[str], *, rounds: int, threads: int
) -> list[list[Speed]]:
    """Each model's speed in every round."""
    found: list[list[Speed]] = [[] for _ in artifacts]
    context = multiprocessing.get_context("spawn")
    for place in turns(len(artifacts), rounds):
        with ProcessPoolExecutor(1, mp_context=context) as process:
            found[place].append(process.submit(measure, artifacts[place], texts, threads).result())
    return found


def val_texts(recipe: str, data: Path, rows: int) -> list[str]:
    """Evenly spaced texts of every val set of a recipe, ``rows`` of each or a few more."""
    texts: list[str] = []
    for split in load_corpus(load_recipe(recipe), data, train=False).val:
        texts += split.texts[:: max(1, len(split) // rows)]
    return texts


def summary(artifact: ModelArtifact, speeds: Sequence[Speed]) -> dict[str, Any]:
    """A model's figures: of each speed the median, the lowest and the highest round."""
    files = [path for path in artifact.path.iterdir() if path.is_file()]
    quality = {m["name"]: m["macro_f1"] for m in artifact.details.get("metrics", ())}
    rounds = [asdict(speed) for speed in speeds]
    return {
        "model": artifact.model_id,
        "precision": artifact.details.get("precision"),
        "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 1),
        **{name: quality.get(group) for name, (group, _) in QUALITY.items()},
        **{
            name: [
                round(pick([each[name] for each in rounds]), 2)
                for pick in (statistics.median, min, max)
            ]
            for name in rounds[0]
        },
    }


def show(told: Sequence[Mapping[str, Any]]) -> None:
    """The table, speeds as median (lowest-highest)."""
    table = Table()
    table.add_column("model", no_wrap=True)
    table.add_column("precision")
    titles = [title for _, title in QUALITY.values()] + [title for title, _ in SPEEDS.values()]
    for title in ("MB", *titles):
        table.add_column(title, justify="right")
    for row in told:
        quality = [row[name] for name in QUALITY]
        speeds = [
            "{:,.{d}f} ({:,.{d}f}-{:,.{d}f})".format(*row[name], d=digits)
            for name, (_, digits) in SPEEDS.items()
        ]
        table.add_row(
            row["model"],
            row["precision"] or "",
            f"{row['megabytes']:.1f}",
            *("" if value is None else f"{100 * value:.1f}" for value in quality),
            *speeds,
        )
    _CONSOLE.print(table)


def main() -> None:
    """Measure, print, and write the figures as JSON if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("artifacts", nargs="*", type=Path, default=[shipped_weights()])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--recipe", default="groundswell", help="names the sets to take texts from")
    parser.add_argument("--rows", type=int, default=40, help="texts of each set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file")
    args = parser.parse_args()
    texts = val_texts(args.recipe, args.data, args.rows)
    length = float(np.mean([len(text) for text in texts]))
    speeds = run(args.artifacts, texts, rounds=args.rounds, threads=args.threads)
    told = [
        summary(ModelArtifact.load(path), of)
        for path, of in zip(args.artifacts, speeds, strict=True)
    ]
    versions = {"onnxruntime": version("onnxruntime"), "tokenizers": version("tokenizers")}
    how = {
        "texts": len(texts),
        "characters": round(length, 1),
        "rounds": args.rounds,
        "threads": args.threads,
    }
    _CONSOLE.print(how, machine() | versions)
    show(told)
    if args.out:
        result = {"machine": machine() | versions, "how": how, "models": told}
        args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
