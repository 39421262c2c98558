"""The default backend: ONNX Runtime on the CPU. Needs no torch."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from model.artifact import GRAPH, TOKENIZER, ModelArtifact
from model.backend import Pieces, Probabilities, padded, softmax
from model.errors import ArtifactError, BackendError
from model.scope import unknown_piece


class OnnxBackend:
    """Runs the graph of a :class:`ModelArtifact`."""

    def __init__(self, artifact: ModelArtifact, *, threads: int | None = None) -> None:
        """Verify and load an artifact.

        Args:
            artifact: a folder with a graph and a tokenizer.
            threads: threads of ONNX Runtime; all cores if ``None``.

        Raises:
            ArtifactError: a file is missing, changed, or not loadable.
        """
        artifact.verify()
        self._artifact = artifact
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(
                str(artifact.path / GRAPH), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(artifact.path / TOKENIZER))
        except Exception as error:  # both libraries raise direct subclasses of Exception
            raise ArtifactError(f"{artifact.path} cannot be loaded: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.unknown = unknown_piece(self._tokenizer)

    @property
    def model_id(self) -> str:
        """See :class:`model.backend.Backend`; from the manifest."""
        return self._artifact.model_id

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """See :class:`model.backend.Backend`; from the manifest."""
        return self._artifact.labels

    @property
    def window(self) -> int:
        """Tokens read at once, special ones not counted."""
        special = len(self._artifact.before) + len(self._artifact.after)
        return self._artifact.max_tokens - special

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        """Split texts into tokens."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        """Run one batch; see :class:`model.backend.Backend`."""
        artifact = self._artifact
        ids, mask = padded(windows, artifact.before, artifact.after, artifact.pad_id)
        heads = list(artifact.labels)
        try:
            outputs = self._session.run(heads, {"ids": ids, "mask": mask})
        except Exception as error:  # ONNX Runtime's errors have no other common base
            raise BackendError(f"ONNX Runtime failed: {error}") from error
        return {
            head: softmax(np.asarray(logits), artifact.temperatures.get(head, 1.0))
            for head, logits in zip(heads, outputs, strict=True)
        }
