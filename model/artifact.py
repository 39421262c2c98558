"""A model folder: a graph, a tokenizer, and a manifest with the checksums of both."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from model.errors import ArtifactError, ArtifactTamperedError

MANIFEST = "manifest.json"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"
ENCODER_CONFIG = "config.json"
LAYOUT = 1
LANGUAGE_POOL = "language "  # prefix of a language's entry in the metrics
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class ModelArtifact:
    """The manifest of a model folder, validated.

    Attributes:
        path: the folder.
        model_id: name and hash of the weights; folders with the same id contain the same model.
        labels: head → labels, in the order of its outputs.
        temperatures: head → calibration temperature.
        max_tokens: tokens the model reads at once, special ones included.
        before: ids of the special tokens before a text.
        after: ids of the special tokens after a text.
        pad_id: id of the padding token.
        files: name → sha256 of every file except the manifest.
        details: the whole manifest: versions, hashes of recipe and data, metrics, terms.
    """

    path: Path
    model_id: str
    labels: Mapping[str, tuple[str, ...]]
    temperatures: Mapping[str, float]
    max_tokens: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    pad_id: int
    files: Mapping[str, str]
    details: Mapping[str, Any]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a folder's manifest. To check its files, call :meth:`verify`.

        Raises:
            ArtifactError: the manifest is missing, unreadable, or of an unknown layout.
        """
        folder = Path(path)
        manifest = folder / MANIFEST
        if not manifest.is_file():
            raise ArtifactError(f"no model in {folder}: {MANIFEST} is missing")
        try:
            details: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
            if details["layout"] != LAYOUT:
                raise ArtifactError(
                    f"{manifest}: layout {details['layout']} is not supported; expected {LAYOUT}"
                )
            return cls(
                path=folder,
                model_id=str(details["model_id"]),
                labels={head: tuple(names) for head, names in details["labels"].items()},
                temperatures={h: float(t) for h, t in details["temperatures"].items()},
                max_tokens=int(details["max_tokens"]),
                before=tuple(details["special"]["before"]),
                after=tuple(details["special"]["after"]),
                pad_id=int(details["special"]["pad"]),
                files=dict(details["files"]),
                details=details,
            )
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ArtifactError(f"{manifest} cannot be read: {error!r}") from error

    @property
    def languages(self) -> frozenset[str] | None:
        """Languages that the metrics cover; ``None`` if they name none."""
        named = {
            str(figures["name"]).removeprefix(LANGUAGE_POOL)
            for figures in self.details.get("metrics", ())
            if str(figures["name"]).startswith(LANGUAGE_POOL)
        }
        return frozenset(named - {"und"}) or None

    @property
    def relative_temperatures(self) -> dict[str, dict[str, float]]:
        """Head → language → the language's temperature divided by the head's, for languages that
        have a temperature of their own.
        """
        own: Mapping[str, Mapping[str, float]] = self.details.get("language_temperatures", {})
        return {
            head: {
                language: float(temperature) / self.temperatures.get(head, 1.0)
                for language, temperature in languages.items()
            }
            for head, languages in own.items()
        }

    def verify(self) -> None:
        """Check that every listed file exists and matches its checksum.

        Raises:
            ArtifactError: a file is missing.
            ArtifactTamperedError: a file's sha256 differs from the manifest.
        """
        for name, expected in self.files.items():
            file = self.path / name
            if not file.is_file():
                raise ArtifactError(f"{self.path}: {name} is missing")
            found = sha256_of(file)
            if found != expected:
                raise ArtifactTamperedError(
                    f"{file} does not match its manifest "
                    f"(sha256 {found[:12]}… instead of {expected[:12]}…)"
                )


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
