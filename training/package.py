"""Makes a model folder of a trained network: export, quantise, calibrate, measure."""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from model.artifact import (
    GRAPH,
    LAYOUT,
    MANIFEST,
    TOKENIZER,
    WEIGHTS,
    ModelArtifact,
    sha256_of,
)
from model.classifier import SentimentClassifier
from model.network import Network
from training.calibrate import Temperatures, calibrate
from training.data import Corpus, Split
from training.errors import ParityError
from training.evaluate import Measured, Scored, measure_all, score, sound
from training.evaluation import evaluation_hashes, evaluation_splits
from training.export import (
    PRECISIONS,
    cut_positions,
    export_graph,
    export_weights,
    parity,
    quantise,
)
from training.model_card import CARD, model_card
from training.recipe import Recipe
from training.reliability import write_diagrams
from training.robustness.measure import measure_robustness

WINDOW = 128
_log = logging.getLogger(__name__)
_LIBRARIES = ("torch", "transformers", "onnx", "onnxruntime", "tokenizers", "numpy")


@dataclass(frozen=True, slots=True)
class Package:
    """A model folder and its metrics.

    Attributes:
        path: the model folder.
        measured: metrics of the calibrated 8-bit model on val.
        parity: set → macro-F1 lost by quantisation, in [-1, 1].
    """

    path: Path
    measured: Sequence[Measured]
    parity: Mapping[str, float]


def package(
    network: Network,
    tokenizer: Tokenizer,
    pad_id: int,
    recipe: Recipe,
    corpus: Corpus,
    origin: str,
    *,
    work: Path,
    out: Path,
    teacher: str | None = None,
) -> Package:
    """Make the model folder of a trained network.

    Args:
        network: the trained network; its position table is cut.
        tokenizer: the tokenizer it was trained with.
        pad_id: the padding id.
        recipe: the recipe it was trained by.
        corpus: its val splits are measured.
        origin: where the base model comes from.
        work: folder for intermediate results, with the float32 model for torch in ``float32``.
        out: the model folder; replaced only after all else succeeded.
        teacher: id of the teacher, if there is one.

    Raises:
        ParityError: at every precision a set loses more than is allowed.
    """
    cut_positions(network, WINDOW)
    torch_weights, whole, eight = work / "float32", work / "float32-onnx", work / "int8"
    for folder in (torch_weights, whole, eight):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tokenizer.save(str(folder / TOKENIZER), pretty=False)
    details = _details(tokenizer, pad_id, recipe, corpus, origin)
    if recipe.distillation is not None:
        details["distillation"] = {**asdict(recipe.distillation), "teacher": teacher}
    export_weights(network, torch_weights)
    network.encoder.config.save_pretrained(eight)  # for a later run that starts from this folder
    export_graph(network, whole / GRAPH)
    write_manifest(whole, details)
    reliable = [split for split in corpus.val if not split.data.noisy]
    reference = measure_all(list(score(SentimentClassifier.load(whole), reliable)))
    scored, lost, precision = _quantised(whole, eight, details, reliable, reference)
    noisy = [split for split in corpus.val if split.data.noisy]
    shipped = SentimentClassifier.load(eight)
    scored += score(shipped, noisy)
    apart = list(score(shipped, evaluation_splits()))
    found = {head.name: calibrate(sound(scored, head.name)) for head in recipe.heads}
    temperatures = {
        head: calibration.temperatures if calibration else Temperatures()
        for head, calibration in found.items()
    }
    scored, apart = _softened(scored, temperatures), _softened(apart, temperatures)
    measured = measure_all(scored, apart)
    details = {
        **details,
        "temperatures": {head: each.head for head, each in temperatures.items()},
        "language_temperatures": {
            head: dict(each.languages) for head, each in temperatures.items() if each.languages
        },
        "calibration": {
            head: calibration.as_dict() if calibration else {}
            for head, calibration in found.items()
        },
        "precision": precision,
        "parity": {name: round(value, 5) for name, value in lost.items()},
        "metrics": [m.as_dict() for m in measured],
    }
    write_manifest(eight, details)
    tried = measure_robustness(SentimentClassifier.load(eight))
    details["robustness"] = [family.as_dict() for family in tried]
    write_manifest(torch_weights, details)
    diagrams = write_diagrams(eight, scored, apart)
    (eight / CARD).write_text(model_card(details, recipe, diagrams), encoding="utf-8")
    write_manifest(eight, details)
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(eight, out)
    return Package(out, measured, lost)


def _quantised(
    whole: Path,
    eight: Path,
    details: Mapping[str, Any],
    reliable: Sequence[Split],
    reference: Sequence[Measured],
) -> tuple[list[Scored], dict[str, float], str]:
    """The fastest 8-bit graph within the limits: its predictions, losses and precision.

    Raises:
        ParityError: no precision is within the limits.
    """
    failure: ParityError | None = None
    for precision in PRECISIONS:
        quantise(whole / GRAPH, eight / GRAPH, precision)
        write_manifest(eight, details)
        scored = list(score(SentimentClassifier.load(eight), reliable))
        try:
            return scored, parity(reference, measure_all(scored)), precision
        except ParityError as error:
            _log.warning("precision %s: %s", precision, error)
            failure = error
    raise failure or ParityError("no precision to try")


def write_manifest(folder: Path, details: Mapping[str, Any]) -> ModelArtifact:
    """Write a folder's manifest and read it back."""
    files = {
        path.name: sha256_of(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    }
    manifest = {
        "layout": LAYOUT,
        "model_id": f"{details['name']}-{files.get(GRAPH, files.get(WEIGHTS, ''))[:12]}",
        **details,
        "files": files,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return ModelArtifact.load(folder)


def _details(
    tokenizer: Tokenizer, pad_id: int, recipe: Recipe, corpus: Corpus, origin: str
) -> dict[str, Any]:
    before, after = special_pieces(tokenizer)
    return {
        "name": recipe.name,
        "labels": {head.name: list(head.labels) for head in recipe.heads},
        "temperatures": {},
        "max_tokens": WINDOW,
        "special": {"before": before, "after": after, "pad": pad_id},
        "base": origin,
        "recipe": {"name": recipe.name, "sha256": recipe.sha256, "seed": recipe.seed},
        "steps": recipe.optimisation.steps,
        "data": corpus.hashes,
        "evaluation": evaluation_hashes(),
        "versions": {name: version(name) for name in _LIBRARIES},
    }


def special_pieces(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text."""
    encoding = tokenizer.encode("a")
    text = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    return encoding.ids[: text[0]], encoding.ids[text[-1] + 1 :]


def _softened(scored: Sequence[Scored], temperatures: Mapping[str, Temperatures]) -> list[Scored]:
    return [temperatures[part.split.data.head].soften(part) for part in scored]
