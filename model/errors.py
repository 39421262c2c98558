"""The root of all errors that Groundswell raises on purpose.

GroundswellError
├── ModelError: artifact, backend, batcher
├── training.errors.TrainingError: data, recipe
└── serving.errors.ServingError: request, file, store
"""


class GroundswellError(Exception):
    """An error with a message that you can act on.

    Attributes:
        code: stable, in snake_case; the same in HTTP responses, logs and documentation.
    """

    code = "internal"


class ModelError(GroundswellError):
    """A model cannot be loaded or used."""

    code = "model"


class ArtifactError(ModelError):
    """A model folder is missing, incomplete, or of an unknown layout."""

    code = "artifact"


class ArtifactTamperedError(ArtifactError):
    """A file of a model folder does not match its manifest."""

    code = "artifact_tampered"


class BackendError(ModelError):
    """The model's runtime failed, or its labels are not sentiments."""

    code = "backend"


class ModelStoppedError(ModelError):
    """The batcher is not running, or its worker died. Nothing can be scored."""

    code = "model_stopped"


class TooManyTextsError(ModelError):
    """One call has more texts than the queue can hold."""

    code = "too_many_texts"


class Overloaded(ModelError):
    """The queue is full; none of the call's texts was queued.

    Attributes:
        retry_after: seconds to wait before trying again, at least 1.
    """

    code = "overloaded"

    def __init__(self, waiting: int, retry_after: float) -> None:
        super().__init__(
            f"the queue is full with {waiting} texts; try again in {retry_after:.0f} s"
        )
        self.retry_after = retry_after
