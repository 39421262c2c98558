"""Writes `groundswell_client/_sync` from `_async`: `make client`."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

ROOT = Path(__file__).parents[2]
PACKAGE = Path(__file__).parent / "src" / "groundswell_client"
_NOTE = '"""The client without asyncio; write_sync.py writes it from `_async`."""\n'
_NAMES = {
    "_async": "_sync",
    "aclose": "close",
    "aconnect_sse": "connect_sse",
    "aiter_bytes": "iter_bytes",
    "aiter_sse": "iter_sse",
    "aread": "read",
    "async_each": "each",
    "asyncio": "time",
}

# A file of `_sync` may not be there yet, so that ruff cannot know that it is ours.
_OURS = 'lint.isort.known-first-party=["groundswell_client"]'
_FIX = ["check", "--quiet", "--fix", "--unsafe-fixes", "--select", "I,C416,UP028"]
_FIX += ["--config", _OURS]


def sync_files() -> dict[str, str]:
    """The text of each file of `_sync` by its name, as `_async` makes it."""
    names = dict(_NAMES)
    for path in (PACKAGE / "_async").glob("*.py"):
        for name in re.findall(r"\bAsync([A-Z]\w+)", path.read_text(encoding="utf-8")):
            if name not in {"Iterator", "Iterable"}:
                names[f"Async{name}"] = name
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "_async"), Path(folder, "_sync")
        shutil.copytree(PACKAGE / "_async", source, ignore=shutil.ignore_patterns("__pycache__"))
        rule = unasync.Rule(f"{source}/", f"{target}/", names)
        unasync.unasync_files([str(path) for path in source.glob("*.py")], [rule])
        (target / "__init__.py").write_text(_NOTE, encoding="utf-8")
        return {
            path.name: _tidy(path.name, path.read_text(encoding="utf-8"))
            for path in sorted(target.glob("*.py"))
        }


def _tidy(name: str, text: str) -> str:
    """Text as ruff wants it: imports sorted, short lines joined, loops that only pass on gone."""
    path = str(PACKAGE / "_sync" / name)
    for command in (_FIX, ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", path, "-"]
        text = subprocess.run(  # noqa: S603 - our own text
            ruff, cwd=ROOT, input=text, capture_output=True, text=True, check=True
        ).stdout
    return text


if __name__ == "__main__":
    shutil.rmtree(PACKAGE / "_sync", ignore_errors=True)
    (PACKAGE / "_sync").mkdir()
    for file, text in sync_files().items():
        (PACKAGE / "_sync" / file).write_text(text, encoding="utf-8")
