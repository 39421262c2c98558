"""The root of every error that Groundswell raises on purpose.

GroundswellError
├── ModelError: an artifact or a backend
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
