"""The manifests of infra/kubernetes fit what the code knows, and each other.

That they are valid Kubernetes is checked by hand, as docs/explanation/scaling.md says: the schemas are 70 MB.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # without stubs
from starlette.datastructures import Headers
from tests.fakes.served import calling, serving

from artel.server.__main__ import parser
from artel.server.cli.serve import LAST_WORDS_S
from artel.server.origins import Admission
from artel.server.settings import Settings
from artel.server.telemetry import otel

ROOT = Path(__file__).resolve().parent.parent
ALL: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "infra/kubernetes/artel.yaml").read_text()))
FROM_A_SECRET = {
    "ARTEL_STORAGE__POSTGRES": "postgresql://artel:secret@db/artel",
    "ARTEL_STORAGE__POSTGRES_DIRECT": "postgresql://artel:secret@direct/artel",
    "ARTEL_STORAGE__REDIS": "redis://redis:6379/0",
    "POD_IP": "10.1.2.3",
}


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in ALL if one["kind"] == kind}


PODS = [
    pytest.param(one["spec"]["template"], id=name)
    for kind in ("Deployment", "Job")
    for name, one in named(kind).items()
]


def settings_of(pod: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Return the settings that a container starts with."""
    (container,) = pod["spec"]["containers"]
    env = dict(named("ConfigMap")["artel"]["data"])
    for one in container.get("env", ()):
        given = one.get("value") or FROM_A_SECRET[one["name"]]
        env[one["name"]] = re.sub(r"\$\((\w+)\)", lambda found: env[found[1]], given)
    monkeypatch.chdir(tmp_path)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    known = (ROOT / "docs/reference/settings.md").read_text()
    assert [name for name in env if name != "POD_IP" and f"`{name}`" not in known] == []
    return Settings()


@pytest.mark.parametrize("pod", PODS)
def test_a_container_starts_a_command_that_is_there_with_settings_that_are_understood(
    pod: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (container,) = pod["spec"]["containers"]
    program, *words = container["args"]
    assert program == "artel"
    asked = parser().parse_args(words)
    settings = settings_of(pod, monkeypatch, tmp_path)
    assert settings.storage.postgres == "postgresql://artel:secret@db/artel"
    ports = {one["name"]: one["containerPort"] for one in container.get("ports", ())}
    told = {"http": getattr(asked, "port", None), "metrics": settings.telemetry.worker_port}
    assert {name: told[name] for name in ports} == ports


@pytest.mark.parametrize("pod", PODS)
def test_no_service_sets_our_port(pod: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """For a Service named artel Kubernetes sets ARTEL_PORT to a URL, and the server would not start."""
    monkeypatch.setenv("ARTEL_PORT", "tcp://10.96.0.7:80")
    with pytest.raises(ValueError, match="port"):
        Settings()
    assert pod["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", ["artel-api", "artel-worker"])
def test_a_pod_has_time_to_hand_its_runs_over(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pod = named("Deployment")[name]["spec"]["template"]
    settings = settings_of(pod, monkeypatch, tmp_path)
    before = pod["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {})
    pause_s = float(before.get("command", ["sleep", "0"])[1])
    needed = pause_s + settings.engine.grace_s + LAST_WORDS_S + otel.LAST_WORDS_S
    assert pod["spec"]["terminationGracePeriodSeconds"] >= needed


async def test_probes_ask_for_what_is_served_by_a_name_that_is_answered_to(
    fresh_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pod = named("Deployment")["artel-api"]["spec"]["template"]
    settings = settings_of(pod, monkeypatch, tmp_path)
    by_the_kubelet = Headers({"host": "10.1.2.3:8123"})  # it asks by the pod's address
    Admission.of(settings.web.hosts, ()).check(by_the_kubelet)
    async with serving(fresh_dsn) as app, calling(app) as http:
        for one in named("Deployment").values():
            (container,) = one["spec"]["template"]["spec"]["containers"]
            ports = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = container[probe]["httpGet"]
                assert asked["port"] in ports
                assert (await http.get(asked["path"])).status_code == 200


def test_services_budgets_and_scalers_mean_pods_that_are_there() -> None:
    deployments = named("Deployment")
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in deployments.items()}
    for name, one in deployments.items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
    for name, one in named("PodDisruptionBudget").items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
    assert named("Service")["artel"]["spec"]["selector"] == labels["artel-api"]
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in named("HorizontalPodAutoscaler").values()}
    assert scaled == set(deployments)


def test_workers_are_scaled_by_a_metric_that_is_recorded_from_one_that_is_exported() -> None:
    rules = yaml.safe_load((ROOT / "infra/prometheus/rules.yml").read_text())["groups"][0]["rules"]
    (asked,) = [
        one["external"]["metric"]["name"]
        for one in named("HorizontalPodAutoscaler")["artel-worker"]["spec"]["metrics"]
        if one["type"] == "External"
    ]
    assert asked in [rule["record"] for rule in rules]
    exported = (ROOT / "server/telemetry/exposition.py").read_text()
    for rule in rules:
        for name in re.findall(r"artel_\w+", rule["expr"]):
            assert f'"{name}"' in exported
