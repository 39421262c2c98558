"""A temporary PostgreSQL server on this machine; its folder is deleted at the end."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

PASSWORD = "a pass:word/with@signs"
_QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=32MB")


def _programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs; None if it is not installed."""
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    complete = [folder for folder in folders if (folder / "postgres").exists()]
    return max(complete, key=lambda folder: folder.parent.name, default=None)


PROGRAMS = _programs()
# The server does not run as root; Debian's package creates a user for it.
_AS: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}


class PostgresServer:
    """A cluster with English collation and the user `groundswell`.

    Connections over the socket need no password; connections over TCP do.
    """

    def __init__(self, folder: Path, *, durable: bool, more: Mapping[str, str]) -> None:
        assert PROGRAMS is not None
        self._folder = folder
        self._settings = () if durable else _QUICK
        self._settings += tuple(f"{name}={value}" for name, value in more.items())
        self._data = folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "password").write_text(PASSWORD)
        if _AS:
            for path in (folder, folder / "password"):
                shutil.chown(path, **_AS)
        make = [
            PROGRAMS / "initdb", "--pgdata", self._data, "--username=groundswell", "--no-sync",
            "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en",
            "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={folder / 'password'}",
        ]  # fmt: skip
        subprocess.run(make, check=True, capture_output=True, cwd=folder, **_AS)
        self.start()
        self._made = 0

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        assert PROGRAMS is not None
        options = (*self._settings, "listen_addresses=127.0.0.1", f"port={self.port}",
                   f"unix_socket_directories={self._folder}")  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", self._data, *(f"--{option}" for option in options)],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **_AS,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT shuts it down fast, SIGQUIT acts like a crash."""
        self._process.send_signal(how)
        self._process.wait(30)

    def url(self, database: str) -> str:
        """The URL of a database over the socket."""
        return (
            f"postgresql://groundswell@/{database}?host={quote(str(self._folder))}&port={self.port}"
        )

    def tcp_url(self, database: str, *, password: str | None = None) -> str:
        """The URL of a database over TCP, with or without a password."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://groundswell{secret}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """Create a database from a template and return its name."""
        self._made += 1
        name = f"made_{self._made}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        """Delete a database and close its connections."""
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement outside a transaction and return its rows."""
        with psycopg.connect(self._dsn(database), autocommit=True) as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def _dsn(self, database: str) -> str:
        return f"host={self._folder} port={self.port} user=groundswell dbname={database}"


@contextmanager
def serving(
    *, durable: bool = False, certificate: tuple[bytes, bytes] | None = None
) -> Iterator[PostgresServer]:
    """Run a server; stopped and deleted at the end.

    Args:
        durable: write to disk before acknowledging, which is the default of PostgreSQL; slower.
        certificate: its certificate and private key in PEM, for TLS; None offers no TLS.
    """
    folder = Path(tempfile.mkdtemp(prefix="groundswell-pg-"))
    try:
        more = {}
        if certificate is not None:
            for name, content in zip(("cert", "key"), certificate, strict=True):
                path = folder / f"server.{name}"
                path.touch(mode=0o600)
                path.write_bytes(content)
                if _AS:
                    shutil.chown(path, **_AS)
                more[f"ssl_{name}_file"] = str(path)
            more["ssl"] = "on"
        server = PostgresServer(folder, durable=durable, more=more)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
