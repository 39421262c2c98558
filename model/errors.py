"""The root of every error that Groundswell raises on purpose.

GroundswellError
├── ModelError: an artifact, a backend or the batcher
├── training.errors.TrainingError: data or a recipe
└── serving.errors.ServingError: a request, a file, the store
"""


class GroundswellError(Exception):
    """An error with a message a person can act on.

    Attributes:
        code: stable, snake_case; the same in HTTP answers, logs and documents.
    """

    code = "internal"


class ModelError(GroundswellError):
    """An artifact cannot be used or a backend failed."""

    code = "model"


class ArtifactError(ModelError):
    """A model folder is missing, incomplete or of an unknown layout."""

    code = "artifact"


class ArtifactTamperedError(ArtifactError):
    """A file of an artifact is not the one its manifest names."""

    code = "artifact_tampered"


class BackendError(ModelError):
    """The runtime under a model failed, or its answers cannot be read as sentiment."""

    code = "backend"


class ModelStoppedError(ModelError):
    """The batcher is not running, or its worker died; nothing can be scored."""

    code = "model_stopped"


class TooManyTextsError(ModelError):
    """One call asks for more texts than may ever wait at once."""

    code = "too_many_texts"


class Overloaded(ModelError):
    """Too many texts are waiting already; nothing of the call was taken.

    Attributes:
        retry_after: seconds after which trying again makes sense, at least 1.
    """

    code = "overloaded"

    def __init__(self, waiting: int, retry_after: float) -> None:
        super().__init__(f"{waiting} texts are waiting already; try again in {retry_after:.0f} s")
        self.retry_after = retry_after
