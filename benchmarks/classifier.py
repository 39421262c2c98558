"""Compares models: speed, quality and size.

    python -m benchmarks.classifier model/weights runs/groundswell-small/artifact

Each run is a process that loads one model and scores the same val texts through
`SentimentClassifier.predict` (normalisation, tokens, language, network, calibration): first one
text per call, then all in one call. The models take turns, so other load on the machine affects all
of them. The quality figures are from the models' manifests, measured on val when they were
packaged.
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

QUALITY = {  # metric (macro-F1) → its group of texts and its title
    "sentiment": ("all sentiment sets", "F1, sentiment"),
    "offensive": ("tweeteval_offensive", "F1, offensive"),
}
SPEEDS = {  # metric → its title and number of decimals
    "single": ("one per call, /s", 0),
    "batched": ("all in one, /s", 0),
    "cpu_seconds": ("CPU s for 1,000", 2),
    "load_seconds": ("load, s", 2),
}
_WARM_UP = 64  # texts scored before the measurement starts
_CONSOLE = Console(width=150)


@dataclass(frozen=True, slots=True)
class Speed:
    """One run of one model.

    Attributes:
        load_seconds: seconds until the model is loaded.
        single: comments per second, one per call.
        batched: comments per second, all in one call.
        cpu_seconds: CPU seconds of all threads per 1,000 comments in one call.
    """

    load_seconds: float
    single: float
    batched: float
    cpu_seconds: float


def measure(artifact: Path, texts: Sequence[str], threads: int) -> Speed:
    """Load a model and time how it scores texts."""
    start = time.perf_counter()
    classifier = SentimentClassifier.load(artifact, threads=threads)
    loaded = time.perf_counter()
    classifier.predict(texts[:_WARM_UP])
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
    """The order of models: each once per round; each round starts with the next model."""
    for first in range(rounds):
        for place in range(models):
            yield (first + place) % models


def run(
    artifacts: Sequence[Path], texts: Sequence[str], *, rounds: int, threads: int
) -> list[list[Speed]]:
    """The speed of each model in each round."""
    found: list[list[Speed]] = [[] for _ in artifacts]
    context = multiprocessing.get_context("spawn")
    for place in turns(len(artifacts), rounds):
        with ProcessPoolExecutor(1, mp_context=context) as process:
            found[place].append(process.submit(measure, artifacts[place], texts, threads).result())
    return found


def val_texts(recipe: str, data: Path, rows: int) -> list[str]:
    """Evenly spaced texts of a recipe's val sets, about ``rows`` of each."""
    texts: list[str] = []
    for split in load_corpus(load_recipe(recipe), data, train=False).val:
        texts += split.texts[:: max(1, len(split) // rows)]
    return texts


def summary(artifact: ModelArtifact, speeds: Sequence[Speed]) -> dict[str, Any]:
    """A model's metrics; each speed as median, minimum and maximum of the rounds."""
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


def show(results: Sequence[Mapping[str, Any]]) -> None:
    """Print the table; speeds as median (minimum-maximum)."""
    table = Table()
    table.add_column("model", no_wrap=True)
    table.add_column("precision")
    titles = [title for _, title in QUALITY.values()] + [title for title, _ in SPEEDS.values()]
    for title in ("MB", *titles):
        table.add_column(title, justify="right")
    for row in results:
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
    """Measure, print, and write the results as JSON if requested."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("artifacts", nargs="*", type=Path, default=[shipped_weights()])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--recipe", default="groundswell", help="recipe whose data sets provide the texts"
    )
    parser.add_argument("--rows", type=int, default=40, help="texts from each set")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    args = parser.parse_args()
    texts = val_texts(args.recipe, args.data, args.rows)
    length = float(np.mean([len(text) for text in texts]))
    speeds = run(args.artifacts, texts, rounds=args.rounds, threads=args.threads)
    results = [
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
    show(results)
    if args.out:
        result = {"machine": machine() | versions, "how": how, "models": results}
        args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
