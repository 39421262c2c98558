"""Why a value cannot be read."""


class InvalidValue(ValueError):
    """A value is not what its field holds.

    Attributes:
        code: the kind of fault; docs/errors.md lists them.
        message: what is wrong and the fix, to follow the name of the field.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
