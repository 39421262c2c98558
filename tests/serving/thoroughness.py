"""How much the slowest tests try: a little in `make test`, far more in `make test-thorough`."""

import os

THOROUGH = os.environ.get("THOROUGH_TESTS") == "1"


def examples(few: int, many: int) -> int:
    """How many examples a test draws.

    Args:
        few: in `make test`.
        many: in `make test-thorough`.
    """
    return many if THOROUGH else few
