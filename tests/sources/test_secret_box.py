"""Secrets of sources: encrypted, or named by a variable or a file, and by nothing else."""

from pathlib import Path

import pytest

from serving.errors import StoreError
from serving.sources.faults import Misconfigured
from serving.sources.secret_box import SecretBox, check_reference, resolved


def test_a_secret_is_encrypted_with_the_key_of_a_file(tmp_path: Path) -> None:
    key = tmp_path / "source.key"
    assert SecretBox(key).seal({}) is None
    assert not key.exists()
    sealed = SecretBox(key).seal({"token": "s3cr3t"})
    assert sealed is not None
    assert b"s3cr3t" not in sealed
    assert key.stat().st_mode & 0o777 == 0o600
    assert SecretBox(key).open(sealed) == {"token": "s3cr3t"}
    assert SecretBox(key).open(None) == {}
    other_box = SecretBox(tmp_path / "other.key")
    other_box.seal({"a": "b"})
    with pytest.raises(Misconfigured) as other:
        other_box.open(sealed)
    assert "put the former" in other.value.remedy


def test_a_key_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    key = tmp_path / "source.key"
    sealed = SecretBox(key).seal({"token": "s3cr3t"})
    key.unlink()
    with pytest.raises(Misconfigured):
        SecretBox(key).open(sealed)
    assert not key.exists()
    key.write_text("no key")
    with pytest.raises(StoreError, match="holds no key"):
        SecretBox(key).seal({"token": "s3cr3t"})


@pytest.mark.parametrize(
    "value", ["env:PATH", "env:", "file:", "file:..", "file:../key", "file:/etc/passwd", "file:a/b"]
)
def test_other_variables_and_files_cannot_be_named(value: str, tmp_path: Path) -> None:
    assert check_reference(value)
    with pytest.raises(Misconfigured):
        resolved({"token": value}, {"PATH": "x"}, tmp_path)


def test_a_reference_is_replaced_by_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "youtube").write_text("from a file\n")
    (tmp_path / "empty").write_text("\n")
    variables = {"GROUNDSWELL_SOURCE_X": " from a variable "}
    entered = {"a": "plain", "b": "env:GROUNDSWELL_SOURCE_X", "c": "file:youtube"}
    found = resolved(entered, variables, tmp_path)
    assert found == {"a": "plain", "b": "from a variable", "c": "from a file"}
    for wrong in ("env:GROUNDSWELL_SOURCE_Y", "file:nothing", "file:empty"):
        with pytest.raises(Misconfigured):
            resolved({"a": wrong}, variables, tmp_path)
    with pytest.raises(Misconfigured) as unset:
        resolved({"a": "file:youtube"}, variables, None)
    assert "GROUNDSWELL_SOURCE_SECRETS" in unset.value.remedy
