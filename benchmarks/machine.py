"""The machine and the versions that a result was made with."""

import os
import platform
from importlib.metadata import version
from typing import Any


def machine() -> dict[str, Any]:
    """What stands in every result file."""
    return {
        "processor": platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "river": version("river"),
    }
