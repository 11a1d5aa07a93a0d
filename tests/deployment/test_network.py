"""The NetworkPolicies allow exactly the connections of docs/concepts/architecture.md, on both ends."""

from pathlib import Path

import pytest
import yaml

from deployment.arrows import NODE_LOCAL_DNS, arrows, drawn
from deployment.kinds import Deployment, Ingress, NetworkPolicy, Route, Service
from deployment.rendered import FOLDERS, Rendered, container_of, with_component

OPERATOR_PORT = 8080
DNS = {"[kube-system]", "[openshift-dns]", f"[{NODE_LOCAL_DNS}]"}
DNS_PORTS = (53, 5353)


def test_policies_allow_exactly_the_documented_connections(base: Rendered) -> None:
    allowed = list(arrows(base))
    assert {("egress", "*", end, port) for end in DNS for port in DNS_PORTS} <= set(allowed)
    between = [(side, start, end, port) for side, start, end, port in allowed if end not in DNS]
    assert {(start, end) for side, start, end, _ in between if side == "ingress"} == drawn()
    assert {(start, end) for side, start, end, _ in between if side == "egress"} == {
        (start, end) for start, end in drawn() if not start.startswith("[")
    }
    (closed,) = (each for each in base.all(NetworkPolicy) if each.metadata.name == "default-deny")
    assert closed.spec.pod_selector.match_labels == {}
    assert closed.spec.policy_types == ["Ingress", "Egress"]
    assert not closed.spec.ingress
    assert not closed.spec.egress


def test_redis_admits_workers_under_the_earlier_deployment_name(base: Rendered) -> None:
    """During an upgrade, pods of the Deployment `sim-worker` and of `worker` run side by side."""
    earlier = {"app.kubernetes.io/name": "sim-worker", "app.kubernetes.io/component": "worker"}
    (rule,) = base.one(NetworkPolicy, "redis").spec.ingress
    selectors = [peer.pod_selector.match_labels for peer in rule.from_ or [] if peer.pod_selector is not None]
    assert [each for each in selectors if each.items() <= earlier.items()] == [
        {"app.kubernetes.io/component": "worker"}
    ]
    assert base.one(Deployment, "worker").spec.template.metadata.labels["app.kubernetes.io/component"] == "worker"


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_policies_use_ports_of_services(folder: Path) -> None:
    rendered = Rendered.of(folder)
    ports = {
        (service.spec.selector["app.kubernetes.io/name"], port.port)
        for service in rendered.all(Service)
        for port in service.spec.ports
    }
    for _, _, end, port in arrows(rendered):
        if end in DNS:
            assert port in DNS_PORTS
        elif end == "[outside]":
            assert port in (6379, 26379), "Redis, Sentinel"
        else:
            assert (end, port) in ports
    for policy in rendered.all(NetworkPolicy):
        own = policy.spec.pod_selector.match_labels.get("app.kubernetes.io/name", "*")
        for rule in policy.spec.ingress:
            assert all((own, port.port) in ports for port in rule.ports)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_no_service_or_route_exposes_the_operator_port(folder: Path) -> None:
    rendered = Rendered.of(folder)
    for name in ("api", "viz"):
        container = container_of(rendered.one(Deployment, name))
        ports = {each.name: each.container_port for each in container.ports}
        assert ports["health"] == OPERATOR_PORT
        probes = (container.startup_probe, container.liveness_probe, container.readiness_probe)
        assert {each.http_get.port for each in probes if each.http_get} == {"health"}
        (config,) = (each.config_map_ref for each in container.env_from if each.config_map_ref)
        assert rendered.contents(config.name, None)["OPERATOR_PORT"] == str(OPERATOR_PORT)
    for service in rendered.all(Service):
        for port in service.spec.ports:
            assert port.target_port not in ("health", str(OPERATOR_PORT))
            assert port.port != OPERATOR_PORT
    for ingress in rendered.all(Ingress):
        backends = [path.backend.service.port.name for rule in ingress.spec.rules for path in rule.http.paths]
        assert set(backends) == {"http"}
    assert OPERATOR_PORT not in {port for side, _, _, port in arrows(rendered) if side == "ingress"}


def test_no_gateway_route_exposes_the_operator_port(tmp_path: Path) -> None:
    for route in Rendered.of(with_component(tmp_path, "gateway")).all(Route):
        ports = {each.port for rule in route.spec.rules for each in rule.backend_refs}
        assert ports <= {8000, 9000}


def test_compose_does_not_publish_the_operator_port() -> None:
    services = yaml.safe_load(Path("docker/compose.yaml").read_text())["services"]
    published = {port.rpartition(":")[2] for each in services.values() for port in each.get("ports", ())}
    assert published == {"6379", "8000", "9000"}
    assert "EXPOSE ${PORT}\n" in Path("docker/Dockerfile").read_text()


@pytest.mark.parametrize("service", ["api", "viz"])
def test_idle_timeouts_exceed_those_of_a_gateway(base: Rendered, service: str) -> None:
    """Envoy keeps idle connections for an hour. The gateway must close them first, otherwise it responds with 502."""
    container = container_of(base.one(Deployment, service))
    (config,) = (each.config_map_ref for each in container.env_from if each.config_map_ref)
    settings = base.contents(config.name, None)
    assert float(settings["IDLE_TIMEOUT_S"]) > 3600
    assert int(settings["PROXIES"]) == 1
