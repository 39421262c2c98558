"""Which values a setting takes, and where settings are read from."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from serving.settings import Settings, environment, login_name

BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    "access": (["keys", "open"], ["closed"]),
    "host": (["0.0.0.0"], []),
    "port": ([0, 65_535], [-1, 65_536]),
    "allowed_hosts": (["a.example,b.example"], []),
    "trusted_proxies": (["10.0.0.0/8", ""], []),
    "max_connections": ([1], [0]),
    "max_connections_per_address": ([1], [0]),
    "max_subscribers": ([1], [0]),
    "header_timeout": ([0.1], [0]),
    "body_timeout": ([0.1], [0]),
    "database_url": (["sqlite:///x.db"], []),
    "database_password_file": (["file"], []),
    "model": (["folder"], []),
    "model_threads": ([1], [0]),
    "log_level": (["debug", "info", "warning", "error"], ["loud"]),
    "log_format": (["console", "json"], ["xml"]),
    "sensitivity": ([0.001], [0]),
    "max_body_bytes": ([1024], [1023]),
    "max_items": ([1], [0]),
    "max_import_bytes": ([1024], [1023]),
    "import_folder": (["folder"], []),
    "log_queue": ([1], [0]),
    "score_queue": ([1], [0]),
    "batch_size": ([1, 4096], [0, 4097]),
    "idle_after": ([0.001], [0]),
    "late_horizon": ([0.001], [0]),
    "snapshot_comments": ([1], [0]),
    "snapshot_after": ([0.001], [0]),
    "mood_interval": ([0.001], [0]),
    "metrics_max_kols": ([0], [-1]),
    "channels": (["channels.toml"], []),
    "public_url": (["https://pr.example/a", "http://pr"], ["pr.example", "https://a b", "ftp://a"]),
    "notify_max_age": ([0.001], [0]),
    "late_page_within": ([0.001], [0]),
    "notify_attempts": ([1], [0]),
    "notify_timeout": ([0.001], [0]),
    "source_key_file": (["file"], []),
    "source_secrets": (["folder"], []),
    "source_private_addresses": ([True], ["perhaps"]),
    "watched_folders": ([(Path("/srv/a"), Path("/srv/b"))], ["/srv/a"]),
    "retain_comments_days": ([1, 36_500], [0, 36_501]),
    "retain_alerts_days": ([1, 36_500], [0, 36_501]),
    "retain_deliveries_days": ([1, 36_500], [0, 36_501]),
    "retain_imports_days": ([1, 36_500], [0, 36_501]),
    "retain_audit_days": ([1, 36_500], [0, 36_501]),
    "repeat_window": ([0.001], [0]),
    "outgoing_proxy": (["http://proxy:3128", "https://a:b@p"], ["proxy:3128", "socks5://p"]),
    "author_ids": (["plain", "hashed"], ["secret"]),
    "author_key_file": (["file"], []),
    "admin_key_file": (["file"], []),
    "key_requests_per_minute": ([1], [0]),
    "refusals_per_minute": ([1], [0]),
    "sign_ins_per_minute": ([1], [0]),
    "session_idle": ([0.001], [0]),
    "session_lifetime": ([0.001], [0]),
    "oidc_issuer": (["https://id.example/realms/pr"], ["id.example", "https://id.example/?a=b"]),
    "oidc_client_id": (["groundswell"], []),
    "oidc_client_secret_file": (["file"], []),
    "oidc_name": (["A" * 60], ["A" * 61]),
}


def test_a_setting_outside_its_range_is_refused() -> None:
    assert set(BOUNDS) == set(Settings.model_fields)
    for name, (taken, refused) in BOUNDS.items():
        for value in taken:
            assert str(getattr(Settings(_env_file=None, **{name: value}), name)) == str(value)
        for value in refused:
            with pytest.raises(ValidationError, match=name):
                Settings(_env_file=None, **{name: value})


def test_settings_come_from_the_environment_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text(
        "GROUNDSWELL_PORT=1\nGROUNDSWELL_MAX_ITEMS=2\nSECRET=file\nEMPTY\nOTHER=x\n"
    )
    monkeypatch.setenv("GROUNDSWELL_PORT", "3")
    monkeypatch.setenv("SECRET", "environment")
    settings = Settings()
    assert (settings.port, settings.max_items) == (3, 2)
    found = environment()
    assert (found["SECRET"], found["OTHER"], "EMPTY" in found) == ("environment", "x", False)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 4


@pytest.mark.parametrize("error", [ImportError, KeyError, OSError])
def test_a_machine_may_not_know_who_is_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def getuser() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", lambda: "vy")
    assert login_name() == "vy"
    monkeypatch.setattr("getpass.getuser", getuser)
    assert login_name() is None
