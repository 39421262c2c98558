"""The compose file and the Kubernetes manifests against their schemas, and against the code."""

import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from serving.ingest.import_worker import MOST_WAITING
from serving.notify.config import notification_config as notification_config
from serving.settings import Settings
from tests.deploy.daemons import DEPLOY, ROOT

compose_models = pytest.importorskip("compose_pydantic.models", reason="extra dev")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="extra dev")

COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES = DEPLOY / "kubernetes"
KINDS_OF_OTHERS = {"Kustomization", "ServiceMonitor"}  # their schemas are not Kubernetes' own
NAMES = {"groundswell", "postgres", "prometheus", "alertmanager", "grafana"}


def manifests() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path, document


def the(kind: str) -> dict[str, Any]:
    (found,) = (document for _, document in manifests() if document["kind"] == kind)
    return found


def test_compose_keeps_to_its_schema() -> None:
    without_extensions = {name: part for name, part in COMPOSE.items() if name[:2] != "x-"}
    compose_models.ComposeSpecification.model_validate(without_extensions)
    wrong = without_extensions | {"services": {"groundswell": {"imgae": "groundswell"}}}
    with pytest.raises(ValueError, match="imgae"):
        compose_models.ComposeSpecification.model_validate(wrong)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_service_is_hardened_checked_and_on_this_machine_only(name: str) -> None:
    assert set(COMPOSE["services"]) == NAMES
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["healthcheck"]["test"]
    tag = service["image"].rpartition(":")[2]
    assert tag[-1].isdigit()
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_only_the_service_reaches_the_database_and_few_containers_lead_outside() -> None:
    networks, services = COMPOSE["networks"], COMPOSE["services"]
    members = {
        network: {name for name, service in services.items() if network in service["networks"]}
        for network in networks
    }
    assert members["database"] == {"groundswell", "postgres"}
    assert members["outside"] == {"groundswell", "alertmanager"}
    assert {name for name, network in networks.items() if network.get("internal")} == {
        "database",
        "monitoring",
    }
    # A port is published only from a container that is in a network which is not internal.
    open_to_host = members["outside"] | members["host"]
    assert all(name in open_to_host for name, service in services.items() if "ports" in service)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_container_cannot_take_the_whole_machine(name: str) -> None:
    assert {"mem_limit", "cpus", "pids_limit"} <= COMPOSE["services"][name].keys()


def test_the_pod_is_let_out_to_public_addresses_only() -> None:
    rules = the("NetworkPolicy")["spec"]["egress"]
    (public,) = [rule for rule in rules if {"port": 443, "protocol": "TCP"} in rule["ports"]]
    allowed = {
        ip_network(block["ipBlock"]["cidr"]): [
            ip_network(one) for one in block["ipBlock"]["except"]
        ]
        for block in public["to"]
    }
    assert {network.version for network in allowed} == {4, 6}
    for private in ("10.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.169.254", "127.0.0.1",
                    "100.64.0.1", "fd00::1", "fe80::1", "::1"):  # fmt: skip
        address = ip_address(private)
        (exceptions,) = [one for network, one in allowed.items() if address in network]
        assert any(address in network for network in exceptions), private


def test_the_database_of_the_overlay_is_verified() -> None:
    overlay = yaml.safe_load((KUBERNETES / "postgresql/kustomization.yaml").read_text())
    (settings,) = overlay["configMapGenerator"]
    (url,) = [one.partition("=")[2] for one in settings["literals"] if "DATABASE_URL" in one]
    query = make_url(url).query
    assert query["sslmode"] == "verify-full"
    patch = next(
        one["patch"] for one in overlay["patches"] if "volumeMounts" in one.get("patch", "")
    )
    (mounted,) = yaml.safe_load(patch)["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    assert str(query["sslrootcert"]).startswith(mounted["mountPath"] + "/")


def test_the_image_is_built_of_files_that_the_builder_gets() -> None:
    given = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = set[str]()
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            copied |= {source.removeprefix("./") for source in line.split()[1:-1]}
    assert copied == given
    assert all((ROOT / source).exists() for source in copied)


def test_what_compose_mounts_is_there() -> None:
    named, secrets = set(COMPOSE["volumes"]), set(COMPOSE["secrets"])
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in named or (DEPLOY / source).exists(), source
        assert set(service.get("secrets", [])) <= secrets
    assert (ROOT / COMPOSE["services"]["groundswell"]["build"].removeprefix("../")).exists()
    used = (DEPLOY / "alertmanager/alertmanager.yml").read_text()
    for name in COMPOSE["services"]["alertmanager"]["secrets"]:
        assert f"/run/secrets/{name}" in used


def test_the_service_waits_for_its_database_and_knows_the_password() -> None:
    service, postgres = COMPOSE["services"]["groundswell"], COMPOSE["services"]["postgres"]
    url = make_url(service["environment"]["GROUNDSWELL_DATABASE_URL"])
    assert url.host in service["depends_on"]
    made = postgres["environment"]
    assert (url.username, url.database) == (made["POSTGRES_USER"], made["POSTGRES_DB"])
    assert url.password is None
    files = {
        service["environment"]["GROUNDSWELL_DATABASE_PASSWORD_FILE"],
        made["POSTGRES_PASSWORD_FILE"],
    }
    assert files == {"/run/secrets/database_password"}
    assert set(service["secrets"]) == {"admin_key", *postgres["secrets"]}
    assert postgres["secrets"] == ["database_password"]
    assert "ports" not in postgres
    assert url.database in postgres["healthcheck"]["test"]
    assert "psycopg==" in (ROOT / "requirements.txt").read_text()


def test_grafana_finds_what_is_mounted() -> None:
    grafana = COMPOSE["services"]["grafana"]
    mounted = [volume.split(":")[1] for volume in grafana["volumes"]]
    folder = DEPLOY / "grafana/provisioning"
    (provider,) = yaml.safe_load((folder / "dashboards/groundswell.yml").read_text())["providers"]
    assert provider["options"]["path"] in mounted
    sources = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())["datasources"]
    for source in sources:
        host, port = source["url"].removeprefix("http://").split(":")
        assert COMPOSE["services"][host]["ports"] == [f"127.0.0.1:{port}:{port}"]


@pytest.mark.parametrize("path", [DEPLOY / "channels.toml", KUBERNETES / "base/channels.toml"])
def test_channels_are_ones_that_the_service_takes(path: Path) -> None:
    assert notification_config.load(path, {}).channels


def test_settings_that_are_set_are_ones_that_there_are() -> None:
    known = {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields}
    of_commands = {"GROUNDSWELL_API_KEY_FILE"}  # of those that are run in the container
    assert set(COMPOSE["services"]["groundswell"]["environment"]) <= known | of_commands
    generated = {one["name"]: one for one in the_base()["configMapGenerator"]}
    literals = generated["groundswell-settings"]["literals"]
    assert {literal.split("=")[0] for literal in literals} <= known


def test_imports_have_room_on_the_disk() -> None:
    """In memory they would have the service killed, and in a small volume its pod evicted."""
    compose = COMPOSE["services"]["groundswell"]
    mounted = dict(volume.split(":")[:2][::-1] for volume in compose["volumes"])
    assert mounted["/tmp"] in COMPOSE["volumes"]
    assert "/tmp" not in compose["tmpfs"]
    literals = {one["name"]: one for one in the_base()["configMapGenerator"]}
    given = dict(one.split("=", 1) for one in literals["groundswell-settings"]["literals"])
    volumes = {one["name"]: one for one in the("Deployment")["spec"]["template"]["spec"]["volumes"]}
    room = volumes["tmp"]["emptyDir"]["sizeLimit"]
    assert room.endswith("Gi")
    most = int(given["GROUNDSWELL_MAX_IMPORT_BYTES"])
    # A form is there twice for a moment: as it was received, and as the file that it holds.
    assert 2 * MOST_WAITING * most <= int(room.removesuffix("Gi")) * 2**30


def the_base() -> dict[str, Any]:
    base: dict[str, Any] = yaml.safe_load((KUBERNETES / "base/kustomization.yaml").read_text())
    return base


@pytest.mark.parametrize("version", ["1.25", "1.31", "1.37"])
def test_manifests_keep_to_their_schemas(version: str) -> None:
    checked = 0
    for _, document in manifests():
        if document["kind"] not in KINDS_OF_OTHERS:
            kubernetes_validate.validate(document, version, strict=True)
            checked += 1
    assert checked == 6
    wrong = the("Service") | {"spce": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_kustomize_names_files_that_are_there() -> None:
    for path, document in manifests():
        if document["kind"] != "Kustomization":
            continue
        files = [
            name for one in document.get("configMapGenerator", []) for name in one.get("files", [])
        ]
        for name in [*document["resources"], *files]:
            assert (path.parent / name).exists(), name


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
@pytest.mark.parametrize("name", ["base", "operator", "postgresql"])
def test_what_kustomize_makes_keeps_to_the_schemas(name: str) -> None:
    built = subprocess.run(
        ["kubectl", "kustomize", KUBERNETES / name], capture_output=True, text=True, check=True
    ).stdout
    documents = [one for one in yaml.safe_load_all(built) if one["kind"] not in KINDS_OF_OTHERS]
    assert {"Namespace", "ConfigMap", "Deployment"} <= {one["kind"] for one in documents}
    for document in documents:
        kubernetes_validate.validate(document, "1.31", strict=True)
    if name == "postgresql":
        claims = [one for one in documents if one["kind"] == "PersistentVolumeClaim"]
        assert not claims
        (policy,) = (one for one in documents if one["kind"] == "NetworkPolicy")
        assert {"ports": [{"port": 5432, "protocol": "TCP"}]} in policy["spec"]["egress"]
        (pod,) = (one for one in documents if one["kind"] == "Deployment")
        volumes = {one["name"]: one for one in pod["spec"]["template"]["spec"]["volumes"]}
        assert volumes["data"] == {"name": "data", "emptyDir": {"sizeLimit": "64Mi"}}
        assert any("GROUNDSWELL_DATABASE_URL" in one.get("data", {}) for one in documents)


def test_the_parts_fit_together() -> None:
    pod = the("Deployment")["spec"]["template"]
    labels, (container,) = pod["metadata"]["labels"], pod["spec"]["containers"]
    assert the("Deployment")["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert the("Service")["spec"]["selector"].items() <= labels.items()
    assert the("NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    (port,) = the("Service")["spec"]["ports"]
    assert port["targetPort"] == container["ports"][0]["name"]
    assert the("ServiceMonitor")["spec"]["endpoints"][0]["port"] == port["name"]
    monitored = the("ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= the("Service")["metadata"]["labels"].items()
    assert the("Service")["metadata"]["name"] == "groundswell"  # the rules' job
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod["spec"]["volumes"]}


def test_a_database_has_one_writer() -> None:
    spec = the("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
