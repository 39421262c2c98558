"""Every setting of the service, read once from the environment or a `.env` file.

Each is documented in docs/settings.md; a test holds the two together.
"""

import getpass
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from dotenv import dotenv_values
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[int | None, Field(ge=1, le=36_500)]


class Settings(BaseSettings):
    """The service's settings; environment names carry the prefix `GROUNDSWELL_`."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_", env_file=".env", extra="ignore", frozen=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    access: Literal["keys", "open"] = Field(
        "keys",
        description="`keys`: every request needs a key or a session. `open`: no request does, and "
        "the service listens on a loopback address only.",
    )
    allowed_hosts: str | None = Field(
        None,
        description="Further names by which the service is reached, separated by commas. Loopback "
        "names, the address itself and the host of the public URL are always right.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        description="Addresses or networks of the reverse proxies, separated by commas, whose "
        "`X-Forwarded-For` and `X-Forwarded-Proto` say where a request comes from. Empty for none.",
    )
    max_connections: int = Field(
        1000,
        ge=1,
        description="Most open connections; fewer if the system allows the process fewer files.",
    )
    max_connections_per_address: int = Field(
        200,
        ge=1,
        description="Most open connections of one address. Not of a trusted proxy, whose are those "
        "of all.",
    )
    max_subscribers: int = Field(
        500, ge=1, description="Most readers of `/v1/stream`; more are answered with 429."
    )
    header_timeout: Seconds = Field(
        10.0, description="Seconds in which the headers of a request must arrive."
    )
    body_timeout: Seconds = Field(
        60.0,
        description="Seconds in which the body of a request must arrive; a stream or a file must "
        "bring 1 KiB, and a reader must take something.",
    )
    admin_key_file: Path | None = Field(
        None,
        description="The file of the admin key that the first start makes; unset for "
        "`groundswell-admin.key` beside the SQLite file, or in the working directory.",
    )
    key_requests_per_minute: int = Field(
        12_000,
        ge=1,
        description="Requests that a key may send in a minute; more are answered with 429.",
    )
    refusals_per_minute: int = Field(
        30,
        ge=1,
        description="Refused keys of an address in a minute that are answered with 401 and written "
        "to the audit log; more are answered with 429.",
    )
    session_idle: Seconds = Field(
        43_200.0, description="Seconds without a request after which a person is signed out."
    )
    session_lifetime: Seconds = Field(
        604_800.0, description="Seconds after the sign-in when a person is signed out in any case."
    )
    sign_ins_per_minute: int = Field(
        30,
        ge=1,
        description="Attempts to sign in with a password that an address may make in a minute; "
        "more are answered with 429.",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>?#]+$",
        description="The OpenID provider at which people sign in, as it writes its own address; "
        "unset for none.",
    )
    oidc_client_id: str | None = Field(
        None, description="Who this service is at the OpenID provider."
    )
    oidc_client_secret_file: Path | None = Field(
        None,
        description="A file with this service's secret at the OpenID provider; unset for a public "
        "client.",
    )
    oidc_name: str | None = Field(
        None,
        max_length=60,
        description="What people call the OpenID provider; unset for its address.",
    )
    database_url: str = Field(
        "sqlite:///groundswell.db",
        description="The database that holds the comment log and everything else.",
    )
    database_password_file: Path | None = Field(
        None, description="A file with the PostgreSQL password, if the URL has none."
    )
    model: str | None = Field(
        None,
        description="A model folder or a Hugging Face id; unset for the shipped model.",
    )
    model_threads: int | None = Field(
        None, ge=1, description="Threads of the model's runtime; unset for all cores."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level that is logged."
    )
    log_format: Literal["console", "json"] = Field(
        "console", description="`console` for people, `json` for programs."
    )
    sensitivity: float | None = Field(
        None,
        gt=0,
        description="False pages per KOL and month that you accept; unset for the default, 1.",
    )
    max_body_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, description="Largest body of a JSON request, in bytes."
    )
    max_items: int = Field(
        1000, ge=1, description="Most comments or texts in one JSON request; NDJSON has no limit."
    )
    max_import_bytes: int = Field(
        4 * 1024**3, ge=1024, description="Largest file of `POST /v1/imports`, in bytes."
    )
    import_folder: Path | None = Field(
        None,
        description="Folder for files while they are imported; unset for that of the SQLite file, "
        "or the system's temporary folder with PostgreSQL.",
    )
    log_queue: int = Field(
        20_000,
        ge=1,
        description="Comments that may wait to be committed; more are answered with 429.",
    )
    score_queue: int = Field(
        2000, ge=1, description="Texts that may wait for the model; more are answered with 429."
    )
    batch_size: int = Field(
        256, ge=1, le=4096, description="Most comments that the pipeline processes in one step."
    )
    idle_after: Seconds = Field(
        30.0,
        description="Seconds of silence after which a KOL's event time advances by the clock.",
    )
    late_horizon: Seconds = Field(
        604_800.0,
        description="How late, in seconds, comments may be without the KOL's whole history being "
        "judged again; they are used in any case.",
    )
    snapshot_comments: int = Field(
        50,
        ge=1,
        description="Comments of a KOL after which its state is written whole; after a kill, those "
        "since then are judged again at the start.",
    )
    snapshot_after: Seconds = Field(
        120.0, description="Seconds after which that is done at the latest."
    )
    mood_interval: Seconds = Field(
        1.0, description="Least seconds between two mood events on one `/v1/stream`."
    )
    metrics_max_kols: int = Field(
        200, ge=0, description="KOLs that get their own metric labels; all others share `_other`."
    )

    channels: Path | None = Field(
        None, description="The TOML file with channels and routes; unset notifies nobody."
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>]+$",
        description="The URL at which people reach this service; messages link to it.",
    )
    notify_max_age: Seconds = Field(
        86_400.0,
        description="An alert event older than this, in seconds of event time, is not sent.",
    )
    late_page_within: Seconds = Field(
        7200.0,
        description="An incident found late is sent only if it ended less than so many seconds "
        "before, or lasts.",
    )
    notify_attempts: int = Field(
        50, ge=1, description="Attempts after which the service gives a notification up."
    )
    notify_timeout: Seconds = Field(10.0, description="Seconds that one attempt to send may take.")
    source_key_file: Path = Field(
        Path("groundswell-source.key"),
        description="The key that secrets of sources are encrypted with in the database; made when "
        "the first is stored.",
    )
    source_secrets: Path | None = Field(
        None,
        description="A folder of files, each with one secret, that sources may name as "
        "`file:NAME`; unset for none.",
    )
    source_private_addresses: bool = Field(
        False,
        description="Whether sources may connect to this machine and to private networks.",
    )
    watched_folders: tuple[Path, ...] = Field(
        (),
        description="Folders whose files, and those in folders below, sources may read and move, "
        "as a JSON list.",
    )
    outgoing_proxy: str | None = Field(
        None,
        pattern=r"^https?://[^\s<>?#]+$",
        repr=False,
        description="The forward proxy, `http://[user:password@]host:port`, through which "
        "webhooks, Slack, Teams, Alertmanager and sources are reached; unset for none.",
    )

    retain_comments_days: Days = Field(
        None,
        description="Days after which texts and authors of comments are erased; unset keeps them.",
    )
    retain_alerts_days: Days = Field(
        None,
        description="Days after its end for which an alert is kept, with its evidence, actions and "
        "notifications; unset keeps it.",
    )
    retain_deliveries_days: Days = Field(
        None,
        description="Days for which a notification is kept after it was sent or given up; unset "
        "keeps it.",
    )
    retain_imports_days: Days = Field(
        None,
        description="Days for which an import and its rejected rows are kept after its end; unset "
        "keeps them.",
    )
    retain_audit_days: Days = Field(
        None,
        description="Days after which entries of the audit log are deleted; unset keeps them.",
    )
    repeat_window: Seconds = Field(
        86_400.0,
        description="Seconds for which a repeat of a request with an `Idempotency-Key` is "
        "recognised, and gets the first answer.",
    )
    author_ids: Literal["plain", "hashed"] = Field(
        "plain",
        description="`hashed` stores the ids of authors as keyed hashes; there is no way back.",
    )
    author_key_file: Path = Field(
        Path("groundswell-author.key"),
        description="The key of hashed author ids; made at the first start that needs it.",
    )

    @property
    def idle(self) -> timedelta:
        """`idle_after` as a duration."""
        return timedelta(seconds=self.idle_after)

    @property
    def idle_session(self) -> timedelta:
        """`session_idle` as a duration."""
        return timedelta(seconds=self.session_idle)

    @property
    def whole_session(self) -> timedelta:
        """`session_lifetime` as a duration."""
        return timedelta(seconds=self.session_lifetime)

    @property
    def recognised_repeats(self) -> timedelta:
        """`repeat_window` as a duration."""
        return timedelta(seconds=self.repeat_window)

    @property
    def horizon(self) -> timedelta:
        """`late_horizon` as a duration."""
        return timedelta(seconds=self.late_horizon)

    @property
    def snapshots_within(self) -> timedelta:
        """`snapshot_after` as a duration."""
        return timedelta(seconds=self.snapshot_after)

    @property
    def notified_age(self) -> timedelta:
        """`notify_max_age` as a duration."""
        return timedelta(seconds=self.notify_max_age)

    @property
    def late_pages(self) -> timedelta:
        """`late_page_within` as a duration."""
        return timedelta(seconds=self.late_page_within)


def environment() -> Mapping[str, str]:
    """The environment variables, over those of a `.env` file; channels take their secrets here."""
    of_file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return of_file | dict(os.environ)  # noqa: TID251 - the one place that reads it by name


def login_name() -> str | None:
    """The name of the person at the terminal; None where the machine knows none."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return None
