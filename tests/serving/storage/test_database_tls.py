"""A PostgreSQL server is used only if it proves that it is the one that is meant."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from serving.errors import StoreError
from serving.storage.database import Database
from tests.serving import postgres

pytestmark = pytest.mark.skipif(postgres.PROGRAMS is None, reason="PostgreSQL is not installed")
AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.PostgresServer]:
    issued = AUTHORITY.issue_cert("localhost")
    certificate = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    with postgres.serving(certificate=certificate) as running:
        yield running


def url(server: postgres.PostgresServer, authority: trustme.CA, folder: Path, host: str) -> str:
    path = folder / "ca.crt"
    authority.cert_pem.write_to_path(path)
    plain = server.tcp_url(server.create(), password=postgres.PASSWORD)
    verified = f"sslmode=verify-full&sslrootcert={path}"
    return f"{plain.replace('@127.0.0.1', f'@{host}')}?{verified}"


def test_a_server_with_the_right_certificate_is_used(
    server: postgres.PostgresServer, tmp_path: Path
) -> None:
    Database(url(server, AUTHORITY, tmp_path, "localhost")).upgrade()


def test_a_server_of_another_name_is_refused(
    server: postgres.PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
        Database(url(server, AUTHORITY, tmp_path, "127.0.0.1")).upgrade()


def test_a_server_that_another_authority_vouches_for_is_refused(
    server: postgres.PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="certificate verify failed"):
        Database(url(server, trustme.CA(), tmp_path, "localhost")).upgrade()
