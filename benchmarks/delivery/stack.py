"""The service and the programs around it, on loopback and in a temporary folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.deploy import daemons
from tests.serving import processes
from tests.serving.notify.outside import Outside

HOOK = "/hook"
SECRET = "a secret for one run"
CRM, DESK = "crm", "desk"
_PACKAGES = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
_CHANNELS = f"""
[channels.{CRM}]
type = "webhook"
url = "http://127.0.0.1:{{port}}{HOOK}"
secret_env = "CRM_SECRET"

[channels.{DESK}]
type = "email"
url = "smtp://127.0.0.1:{{mail_port}}"
from = "alerts@groundswell.example.com"
to = ["pr@example.com"]

[[routes]]
channels = ["{CRM}", "{DESK}"]
"""


class NotInstalled(Exception):
    """A required program is not installed."""


@dataclass(frozen=True, slots=True)
class DeliveryStack:
    """All running programs.

    Attributes:
        service: a client of the service.
        outside: the webhook receivers and the mail server.
        prometheus: a client of Prometheus.
        alertmanager: a client of Alertmanager.
    """

    service: httpx.Client
    outside: Outside
    prometheus: httpx.Client
    alertmanager: httpx.Client

    @property
    def versions(self) -> dict[str, str]:
        """Versions of all programs, and the model's id."""
        status = self.service.get("/v1/status").raise_for_status().json()
        built = self.prometheus.get("/api/v1/status/buildinfo").raise_for_status().json()
        known = self.alertmanager.get("/api/v2/status").raise_for_status().json()
        return {
            "groundswell": status["version"],
            "model": status["model"],
            "prometheus": built["data"]["version"],
            "alertmanager": known["versionInfo"]["version"],
        }


@contextmanager
def serving(
    folder: Path, outside: Outside, *, shipped: bool, timeout: float = 10.0
) -> Iterator[httpx.Client]:
    """Run the service alone, with a webhook and an e-mail channel.

    Args:
        folder: folder for its data.
        outside: the receivers.
        shipped: use the shipped model instead of the fake one.
        timeout: timeout of an attempt in seconds.
    """
    path = folder / "channels.toml"
    path.write_text(_CHANNELS.format(port=outside.port, mail_port=outside.mail_port))
    env = {
        "CRM_SECRET": SECRET,
        "GROUNDSWELL_CHANNELS": str(path),
        "GROUNDSWELL_LOG_LEVEL": "error",
        "GROUNDSWELL_NOTIFY_TIMEOUT": f"{timeout:g}",
        "GROUNDSWELL_PUBLIC_URL": "https://groundswell.example.com",
    }
    with processes.service(folder / "delivery.db", shipped=shipped, env=env) as (_, client):
        yield client


@contextmanager
def running(
    folder: Path, outside: Outside, *, shipped: bool, hurried: bool
) -> Iterator[DeliveryStack]:
    """Run the service with Prometheus and Alertmanager, whose webhooks also go to `outside`.

    Args:
        folder: folder for all data.
        outside: the receivers.
        shipped: use the shipped model instead of the fake one.
        hurried: use one second for each wait in deploy/.

    Raises:
        NotInstalled: Prometheus or Alertmanager is missing.
    """
    if missing := [_PACKAGES[name] for name in _PACKAGES if shutil.which(name) is None]:
        raise NotInstalled(
            f"{' and '.join(missing)} is not installed; on Debian, run: apt-get install"
            f" {' '.join(missing)}"
        )
    routes = daemons.committed_routes()
    with (
        serving(folder, outside, shipped=shipped) as service,
        daemons.alertmanager(folder, routes, outside, hurried=hurried) as alertmanager,
    ):
        targets = {
            "groundswell:8000": service.base_url.netloc.decode(),
            "alertmanager:9093": alertmanager.base_url.netloc.decode(),
        }
        with daemons.prometheus(folder, targets, hurried=hurried) as prometheus:
            yield DeliveryStack(service, outside, prometheus, alertmanager)
