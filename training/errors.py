"""The errors of training, evaluation and export."""

from model.errors import GroundswellError


class TrainingError(GroundswellError):
    """Training, evaluation or export failed."""

    code = "training"


class RecipeError(TrainingError):
    """A recipe is missing, malformed, or names something that does not exist."""

    code = "recipe"


class DataError(TrainingError):
    """A data file is missing, or one of its rows does not fit the recipe."""

    code = "data"


class BaseModelError(TrainingError):
    """The base model cannot be loaded."""

    code = "base_model"


class ParityError(TrainingError):
    """The exported model differs too much from the trained one."""

    code = "parity"
