"""What can go wrong on the way from labelled text to an artifact."""

from model.errors import GroundswellError


class TrainingError(GroundswellError):
    """Training, evaluation or export cannot go on."""

    code = "training"


class RecipeError(TrainingError):
    """A recipe is missing, malformed or asks for something that does not exist."""

    code = "recipe"


class DataError(TrainingError):
    """A data file is missing or a row of it is not what the recipe says."""

    code = "data"


class BaseModelError(TrainingError):
    """The pretrained start cannot be read."""

    code = "base_model"


class ParityError(TrainingError):
    """The exported model differs too much from the trained one."""

    code = "parity"
