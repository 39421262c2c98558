"""Turns texts into predictions: normalise, split into windows, score in batches, average."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Self

import numpy as np

from model.artifact import GRAPH, MANIFEST, ModelArtifact
from model.backend import OFFENSIVE, SENTIMENT, Backend, Pieces, Probabilities, soften
from model.errors import ArtifactError, BackendError
from model.language import identify
from model.scope import in_scope
from model.text import normalise
from model.types import Prediction, Sentiment

MAX_WINDOWS = 32
MAX_CHARACTERS = 1 << 17
_BATCH_PIECES = 2048
_DECIMALS = 4  # further digits depend on the other texts of the batch
_BATCH_WINDOWS = 64
_EMPTY = Prediction(negative=0.0, neutral=1.0, positive=0.0, empty=True, windows=0, in_scope=False)


@dataclass(frozen=True, slots=True)
class _ScoredText:
    """A text besides its probabilities: the rows of its windows, its language, its scope."""

    rows: list[int]
    language: str
    in_scope: bool


class SentimentClassifier:
    """Scores comments with a backend."""

    def __init__(
        self,
        backend: Backend,
        *,
        languages: Set[str] | None = None,
        relative_temperatures: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        """Wrap a backend.

        Args:
            backend: computes the probabilities.
            languages: languages that the model was measured on. If ``None``, a text's language
                never puts it out of scope.
            relative_temperatures: head → language → temperature that is applied after the
                backend's calibration; other languages keep the backend's.

        Raises:
            BackendError: its sentiment labels are not negative, positive and (optionally) neutral.
        """
        self._backend = backend
        self._languages = languages
        self._temperatures = relative_temperatures or {}
        labels = backend.labels.get(SENTIMENT, ())
        if not {"negative", "positive"} <= set(labels) <= {member.value for member in Sentiment}:
            raise BackendError(
                f"{backend.model_id}: labels {list(labels)} are not negative, neutral and positive"
            )
        self._columns = {label: labels.index(label) for label in labels}
        offensive = backend.labels.get(OFFENSIVE)
        self._offensive = offensive.index("offensive") if offensive else None

    @classmethod
    def load(cls, path: str | Path | None = None, *, threads: int | None = None) -> Self:
        """Load a model.

        Args:
            path: ``None`` for the one shipped in ``model/weights``; a :class:`ModelArtifact`
                folder; a folder with a transformers sequence-classification model; or a Hugging
                Face id of such a model. The last two need torch and transformers (extra ``gpu``).
            threads: threads of the runtime; all cores if ``None``.

        Raises:
            ArtifactError: there is no such model, or its files do not match the manifest.
            BackendError: its labels cannot be read as sentiment, or torch is missing.
        """
        folder = shipped_weights() if path is None else Path(path)
        if (folder / MANIFEST).is_file():
            artifact = ModelArtifact.load(folder)
            if (folder / GRAPH).is_file() or GRAPH in artifact.files:
                from model.onnx_backend import OnnxBackend

                return cls._of(OnnxBackend(artifact, threads=threads), artifact)
            from model.torch_backend import TorchBackend

            return cls._of(TorchBackend.from_artifact(artifact, threads=threads), artifact)
        if path is None:
            raise ArtifactError(f"the shipped model is missing: {folder} has no {MANIFEST}")
        from model.torch_backend import TorchBackend

        return cls(TorchBackend.from_pretrained(str(path), threads=threads))

    @classmethod
    def from_backend(cls, backend: Backend) -> Self:
        """A classifier over an existing backend, such as a fake."""
        return cls(backend)

    @classmethod
    def _of(cls, backend: Backend, artifact: ModelArtifact) -> Self:
        return cls(
            backend,
            languages=artifact.languages,
            relative_temperatures=artifact.relative_temperatures,
        )

    @property
    def model_id(self) -> str:
        """Identifies the weights; stored with every score."""
        return self._backend.model_id

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Score texts, in the order given.

        A text that is empty after normalisation is neutral by definition and marked ``empty``. A
        text longer than the model's window is split into windows of about equal length, whose
        probabilities are averaged, weighted by their numbers of tokens. Of a text beyond 32 windows
        (or 131,072 characters) only evenly spaced parts are read, and it is out of scope.

        Args:
            texts: any strings, including lone surrogates, NUL, emoji only, or megabytes.

        Returns:
            One prediction per text.

        Raises:
            BackendError: the runtime failed. The content of a text never raises.
        """
        readable = {i: text for i, raw in enumerate(texts) if (text := normalise(_excerpt(raw)))}
        pieces = self._backend.encode(list(readable.values()))
        windows: list[Pieces] = []
        scored: dict[int, _ScoredText] = {}
        for (i, text), ids in zip(readable.items(), pieces, strict=True):
            if parts := split_windows(ids, self._backend.window):
                rows = list(range(len(windows), len(windows) + len(parts)))
                scored[i] = self._scored_text(texts[i], text, ids, rows)
                windows += parts
        found = self._read(windows)
        weights = np.array([len(window) for window in windows], dtype=np.float64)
        return [
            self._prediction(found, weights, scored[i]) if i in scored else _EMPTY
            for i in range(len(texts))
        ]

    def _scored_text(self, raw: str, text: str, pieces: Pieces, rows: list[int]) -> _ScoredText:
        language = identify(text)
        whole = len(raw) <= MAX_CHARACTERS and len(pieces) <= MAX_WINDOWS * self._backend.window
        known = in_scope(
            text, language, pieces, unknown=self._backend.unknown, measured=self._languages
        )
        return _ScoredText(rows, language, whole and known)

    def _read(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        found = {
            head: np.zeros((len(windows), len(labels)))
            for head, labels in self._backend.labels.items()
        }
        order = sorted(range(len(windows)), key=lambda row: len(windows[row]))
        for batch in _batches(order, windows):
            answers = self._backend.probabilities([windows[row] for row in batch])
            for head, values in answers.items():
                found[head][batch] = values
        return found

    def _prediction(
        self, found: dict[str, Probabilities], weights: Probabilities, text: _ScoredText
    ) -> Prediction:
        weight = weights[text.rows] / weights[text.rows].sum()
        sentiment = self._average(SENTIMENT, found, weight, text)
        offensive = None
        if self._offensive is not None:
            value = float(self._average(OFFENSIVE, found, weight, text)[self._offensive])
            offensive = round(min(1.0, max(0.0, value)), _DECIMALS)
        shares = {label: float(sentiment[column]) for label, column in self._columns.items()}
        negative = round(shares["negative"], _DECIMALS)
        positive = min(round(shares["positive"], _DECIMALS), round(1.0 - negative, _DECIMALS))
        return Prediction(
            negative=negative,
            neutral=round(max(0.0, 1.0 - negative - positive), _DECIMALS),
            positive=positive,
            offensive=offensive,
            windows=len(text.rows),
            language=text.language,
            in_scope=text.in_scope,
        )

    def _average(
        self, head: str, found: dict[str, Probabilities], weight: Probabilities, text: _ScoredText
    ) -> Probabilities:
        """A head's mean over the windows of a text, (labels,), at its language's temperature."""
        mean = weight @ found[head][text.rows]
        temperature = self._temperatures.get(head, {}).get(text.language, 1.0)
        return soften(mean, temperature)


def shipped_weights() -> Path:
    """The folder of the model that ships with the package."""
    return Path(str(files("model") / "weights"))


def split_windows(pieces: Pieces, window: int) -> list[Pieces]:
    """Split tokens into parts of about equal length, at most ``window`` each. Of more than 32
    parts, keep 32 evenly spaced ones. A text without tokens has no parts.
    """
    if not pieces:
        return []
    count = -(-len(pieces) // window)
    bounds = np.linspace(0, len(pieces), count + 1).round().astype(int)
    chosen = range(count)
    if count > MAX_WINDOWS:
        chosen = np.linspace(0, count - 1, MAX_WINDOWS).round().astype(int).tolist()
    return [pieces[bounds[i] : bounds[i + 1]] for i in chosen]


def _excerpt(text: str) -> str:
    """A text of at most 131,072 characters; a longer one is reduced to evenly spaced parts."""
    if len(text) <= MAX_CHARACTERS:
        return text
    size = MAX_CHARACTERS // MAX_WINDOWS
    starts = np.linspace(0, len(text) - size, MAX_WINDOWS).astype(int)
    return " ".join(text[start : start + size] for start in starts)


def _batches(order: Sequence[int], windows: Sequence[Pieces]) -> Iterator[list[int]]:
    """Split rows of ascending length into batches that stay within the budget of padded tokens."""
    batch: list[int] = []
    for row in order:
        full = (len(batch) + 1) * len(windows[row]) > _BATCH_PIECES or len(batch) == _BATCH_WINDOWS
        if batch and full:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
