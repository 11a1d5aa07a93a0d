"""The manifests: they render, fit the schemas of three versions of Kubernetes, and hold to what is drawn and demanded."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from deployment.engine import PORTS, version
from deployment.kinds import (
    Alerts,
    Autoscaler,
    ConfigMap,
    Container,
    Deployment,
    DisruptionBudget,
    Gateway,
    Ingress,
    Monitor,
    NetworkPolicy,
    Peer,
    Route,
    Secret,
    Service,
    StatefulSet,
    Workload,
)
from deployment.rendered import BASE, CUSTOM, LOCAL, PRODUCTION, KustomizeError, Rendered, render
from fixtures.requires import require_program
from sector.api.settings import ApiSettings
from sector.bot.settings import BotSettings
from sector.process import Settings
from sector.viz.settings import VizSettings
from sector.worker.settings import WorkerSettings

FOLDERS = [BASE, LOCAL, PRODUCTION]
COMPONENTS = ["autoscale", "gateway", "monitoring"]
SETTINGS: Mapping[str, type[Settings]] = {
    "api": ApiSettings,
    "viz": VizSettings,
    "sim-worker": WorkerSettings,
    "bot": BotSettings,
}
# The newest that there is, and two before it.
VERSIONS = ["1.37", "1.36", "1.35"]
# How long a process takes to end after SIGTERM, at most, in seconds (docs/operations.md, Stopping), with a tick before that.
ENDS_WITHIN_S = 5


@pytest.fixture(scope="module")
def base() -> Rendered:
    return Rendered.of(BASE)


@pytest.fixture(scope="module")
def production() -> Rendered:
    return Rendered.of(PRODUCTION)


def with_component(tmp_path: Path, component: str) -> Path:
    """Return a folder of its own that adds a component to the base, without the Ingresses."""
    copy = tmp_path / "k8s"
    if not copy.exists():
        shutil.copytree("k8s", copy, symlinks=False)
    folder = copy / "overlays" / f"with-{component}"
    folder.mkdir()
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "sector",
        "resources": ["../../base", "../../redis"],
        "components": [f"../../components/{component}"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return folder


def container_of(workload: Workload) -> Container:
    (container,) = workload.spec.template.spec.containers
    return container


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_all_that_is_rendered_fits_the_strict_schema_of_kubernetes(folder: Path, version: str) -> None:
    objects = render(folder)
    assert objects
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bundled_controller_fits_the_strict_schema(version: str) -> None:
    for each in yaml.safe_load_all(Path("k8s/ingress-nginx/controller.yaml").read_text()):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_goes_with_the_base_and_fits_the_schema(tmp_path: Path, component: str) -> None:
    for each in render(with_component(tmp_path, component)):
        if each["apiVersion"] not in CUSTOM:
            for version in VERSIONS:
                kubernetes_validate.validate(each, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_refused() -> None:
    service, *_ = (each for each in render(BASE) if each["kind"] == "Service")
    assert isinstance(service["spec"], dict)
    service["spec"]["sesionAffinity"] = "ClientIP"
    with pytest.raises(kubernetes_validate.ValidationError, match="sesionAffinity"):
        kubernetes_validate.validate(service, VERSIONS[0], strict=True)


def test_a_folder_that_is_wrong_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    with pytest.raises(KustomizeError, match=r"nowhere\.yaml"):
        render(tmp_path)


def test_the_base_has_what_it_says(base: Rendered, production: Rendered) -> None:
    assert {each.metadata.name for each in base.all(Deployment)} == {"api", "viz", "sim-worker", "bot"}
    assert [each.metadata.name for each in base.all(StatefulSet)] == ["redis"]
    assert {each.metadata.name for each in base.all(Ingress)} == {"api", "viz"}
    assert {rule.host for ingress in base.all(Ingress) for rule in ingress.spec.rules} == {"sector.local"}
    assert {each.metadata.namespace for each in base.objects if each.kind != "Namespace"} == {"sector"}
    assert not production.all(StatefulSet)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_object_carries_the_recommended_labels(folder: Path) -> None:
    for each in Rendered.of(folder).objects:
        labels = each.metadata.labels
        assert labels["app.kubernetes.io/part-of"] == "sector", each.metadata
        assert labels["app.kubernetes.io/instance"] == "sector", each.metadata
        assert labels["app.kubernetes.io/managed-by"] == "kustomize", each.metadata
        if not isinstance(each, ConfigMap | Secret):
            assert labels["app.kubernetes.io/name"], each.metadata
    for workload in Rendered.of(folder).workloads:
        assert workload.spec.selector.match_labels.items() <= workload.spec.template.metadata.labels.items()


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_container_has_probes_of_distinct_meaning_limits_and_no_privileges(folder: Path) -> None:
    for workload in Rendered.of(folder).workloads:
        container, security = container_of(workload), workload.spec.template.spec.security_context
        probes = [container.startup_probe, container.liveness_probe, container.readiness_probe]
        asked = [
            (each.http_get or each.exec or each.tcp_socket, each.period_seconds, each.failure_threshold)
            for each in probes
        ]
        assert all(what for what, _, _ in asked)
        assert len({str(each) for each in asked}) == 3
        if container.liveness_probe.http_get and container.readiness_probe.http_get:
            # Whether Redis is there says nothing about whether this process should be started again.
            assert container.liveness_probe.http_get.path == "/health/live"
            assert container.readiness_probe.http_get.path == "/health/ready"
        for amounts in (container.resources.requests, container.resources.limits):
            assert amounts.keys() == {"cpu", "memory"}
        assert container.security_context.capabilities.drop == ["ALL"]
        assert security.run_as_user >= 10_000
        assert security.run_as_group >= 10_000


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_probe_asks_a_port_that_its_container_has(folder: Path) -> None:
    for workload in Rendered.of(folder).workloads:
        container = container_of(workload)
        ports = {each.name for each in container.ports}
        for probe in (container.startup_probe, container.liveness_probe, container.readiness_probe):
            asked = probe.http_get or probe.tcp_socket
            assert asked is None or asked.port in ports


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_what_ends_has_the_time_that_it_needs(folder: Path) -> None:
    for deployment in Rendered.of(folder).all(Deployment):
        container, spec = container_of(deployment), deployment.spec.template.spec
        asleep_s = container.lifecycle.pre_stop.sleep.seconds if container.lifecycle else 0
        assert asleep_s + ENDS_WITHIN_S < spec.termination_grace_period_seconds
        # Whom others send requests to serves on until they have heard; a worker's hand-over is its end, the sooner the better.
        assert (asleep_s > 0) == (deployment.metadata.name in ("api", "viz"))


def test_what_has_replicas_is_spread_and_loses_one_at_a_time(base: Rendered) -> None:
    for deployment in base.all(Deployment):
        if deployment.metadata.name == "bot":
            assert deployment.spec.replicas == 1
            continue
        assert deployment.spec.replicas == 2
        labels = deployment.spec.template.metadata.labels
        spread = deployment.spec.template.spec.topology_spread_constraints
        assert [each.topology_key for each in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
        assert all(each.label_selector.match_labels.items() <= labels.items() for each in spread)
        budget = base.one(DisruptionBudget, deployment.metadata.name)
        assert budget.spec.max_unavailable == 1
        assert budget.spec.selector.match_labels.items() <= labels.items()
        assert deployment.spec.strategy.rolling_update is not None
        assert deployment.spec.strategy.rolling_update.max_unavailable == 0


def named(peer: Peer) -> str:
    """Return who a peer of a policy is: a part, or a namespace, in brackets."""
    if peer.pod_selector is not None:
        return peer.pod_selector.match_labels["app.kubernetes.io/name"]
    if peer.namespace_selector is not None:
        return f"[{peer.namespace_selector.match_labels['kubernetes.io/metadata.name']}]"
    return "[outside]"


def arrows(rendered: Rendered) -> Iterator[tuple[str, str, str, int]]:
    """Yield each arrow that a policy lets through: which end says so, from, to, port."""
    for policy in rendered.all(NetworkPolicy):
        own = policy.spec.pod_selector.match_labels.get("app.kubernetes.io/name", "*")
        for ingress in policy.spec.ingress:
            for peer in ingress.from_ or []:
                yield from (("ingress", named(peer), own, port.port) for port in ingress.ports)
        for egress in policy.spec.egress:
            for peer in egress.to:
                yield from (("egress", own, named(peer), port.port) for port in egress.ports)


def drawn() -> set[tuple[str, str]]:
    """Return the arrows of the first drawing in docs/architecture.md, by the names of the manifests."""
    drawing = re.search(r"```mermaid\nflowchart LR\n(.*?)```", Path("docs/architecture.md").read_text(), re.DOTALL)
    assert drawing
    names = {"bots": "bot", "worker1": "sim-worker", "worker2": "sim-worker", "people": "[ingress-nginx]"}
    found = re.findall(
        r"^ *(\w+)(?:\[.*?\]|\(\(.*?\)\))? *(?:-->|--.*-->|-\. .* \.->) *(\w+)", drawing[1], re.MULTILINE
    )
    return {(names.get(start, start), names.get(end, end)) for start, end in found}


def test_the_policies_let_through_the_drawn_arrows_alone_from_both_ends(base: Rendered) -> None:
    allowed = list(arrows(base))
    names = ("egress", "*", "[kube-system]", 53)
    assert names in allowed
    between = [each for each in allowed if each != names]
    assert {(start, end) for side, start, end, _ in between if side == "ingress"} == drawn()
    assert {(start, end) for side, start, end, _ in between if side == "egress"} == {
        (start, end) for start, end in drawn() if not start.startswith("[")
    }
    (closed,) = (each for each in base.all(NetworkPolicy) if each.metadata.name == "nobody")
    assert closed.spec.pod_selector.match_labels == {}
    assert closed.spec.policy_types == ["Ingress", "Egress"]
    assert not closed.spec.ingress
    assert not closed.spec.egress


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_port_of_a_policy_is_one_that_a_service_has(folder: Path) -> None:
    rendered = Rendered.of(folder)
    ports = {
        (service.spec.selector["app.kubernetes.io/name"], port.port)
        for service in rendered.all(Service)
        for port in service.spec.ports
    }
    for _, _, end, port in arrows(rendered):
        if end == "[kube-system]":
            assert port == 53
        elif end == "[outside]":
            assert port in (6379, 26379), "Redis, Sentinel"
        else:
            assert (end, port) in ports
    for policy in rendered.all(NetworkPolicy):
        own = policy.spec.pod_selector.match_labels.get("app.kubernetes.io/name", "*")
        for rule in policy.spec.ingress:
            assert all((own, port.port) in ports for port in rule.ports)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_name_in_the_environment_is_a_setting_and_every_value_one_that_it_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = Rendered.of(folder)
    for deployment in rendered.all(Deployment):
        settings = SETTINGS[deployment.metadata.name]
        environment = {
            key: value
            for each in container_of(deployment).env_from
            for key, value in contents(rendered, each.config_map_ref, each.secret_ref).items()
        }
        assert environment, deployment.metadata.name
        assert environment.keys() <= {name.upper() for name in settings.model_fields}
        with monkeypatch.context() as patched:
            for name in list(os.environ):
                patched.delenv(name)
            for name, value in environment.items():
                patched.setenv(name, value)
            settings()


def contents(rendered: Rendered, config_map: object, secret: object) -> dict[str, str]:
    name = getattr(config_map or secret, "name", "")
    there = [each.metadata.name for each in (*rendered.all(ConfigMap), *rendered.all(Secret))]
    if name not in there:
        # Of production: the Secrets are made elsewhere (test_secrets).
        assert not config_map
        return {}
    return rendered.contents(name, None) if config_map else rendered.contents(None, name)


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_config_map_and_secret_is_used(folder: Path) -> None:
    rendered = Rendered.of(folder)
    used: set[tuple[str, str]] = set()
    for workload in rendered.workloads:
        for each in container_of(workload).env_from:
            used |= {("ConfigMap", each.config_map_ref.name)} if each.config_map_ref else set()
            used |= {("Secret", each.secret_ref.name)} if each.secret_ref else set()
        for volume in workload.spec.template.spec.volumes:
            assert volume.name in [mount.name for mount in container_of(workload).volume_mounts]
            for source in volume.projected.sources:
                used |= {("ConfigMap", source.config_map.name)} if source.config_map else set()
                used |= {("Secret", source.secret.name)} if source.secret else set()
    there = {("ConfigMap", each.metadata.name) for each in rendered.all(ConfigMap)}
    there |= {("Secret", each.metadata.name) for each in rendered.all(Secret)}
    assert there <= used


def test_the_files_of_redis_are_those_of_compose() -> None:
    for name in ("redis.conf", "users.acl", "keep.sh"):
        assert Path("k8s/redis", name).read_text() == Path("docker", name).read_text()


def versions() -> dict[str, str]:
    return {f"sector-{service}": version(service) for service in PORTS}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_the_images_are_those_of_this_version_each_named_to_be_replaced(folder: Path) -> None:
    images = yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]
    assert {each["name"]: each["newTag"] for each in images} == versions()
    used = {container_of(each).image for each in Rendered.of(folder).all(Deployment)}
    assert used == {f"{name}:{version}" for name, version in versions().items()}


def test_what_kustomize_edit_set_image_writes_is_what_runs(tmp_path: Path) -> None:
    shutil.copytree("k8s", tmp_path / "k8s")
    file = tmp_path / "k8s" / "kustomization.yaml"
    # As `kustomize edit set image sector-api=registry.example.org:5000/sector-api:9.9` leaves it.
    edited = yaml.safe_load(file.read_text())
    edited["images"][0] |= {"newName": "registry.example.org:5000/sector-api", "newTag": "9.9"}
    file.write_text(yaml.safe_dump(edited))
    images = {each.metadata.name: container_of(each).image for each in Rendered.of(tmp_path / "k8s").all(Deployment)}
    assert images["api"] == "registry.example.org:5000/sector-api:9.9"
    assert images["viz"] == f"sector-viz:{versions()['sector-viz']}"


def test_production_has_its_numbers_its_certificate_and_no_password_that_is_known(production: Rendered) -> None:
    assert {each.metadata.name: each.spec.min_replicas for each in production.all(Autoscaler)} == {
        "api": 3,
        "viz": 2,
        "sim-worker": 2,
    }
    # Else an `apply` would undo what the autoscaler decided.
    assert {each.metadata.name: each.spec.replicas for each in production.all(Deployment)} == {
        "api": None,
        "viz": None,
        "sim-worker": None,
        "bot": 1,
    }
    assert not production.all(Secret)
    for ingress in production.all(Ingress):
        (tls,) = ingress.spec.tls
        assert tls.hosts == [rule.host for rule in ingress.spec.rules] == ["sector.example.org"]


def test_local_is_one_of_each_at_ports_of_the_node() -> None:
    local = Rendered.of(LOCAL)
    assert {each.spec.replicas for each in local.all(Deployment)} == {1}
    assert not local.all(Ingress)
    ports = {each.metadata.name: [port.node_port for port in each.spec.ports] for each in local.all(Service)}
    assert ports == {"api": [30800], "viz": [30900], "redis": [None]}
    for name in ("api", "viz"):
        (rule,) = local.one(NetworkPolicy, name).spec.ingress
        assert rule.from_ is None


def test_the_gateway_has_the_routes_of_the_ingresses(tmp_path: Path, base: Rendered) -> None:
    rendered = Rendered.of(with_component(tmp_path, "gateway"))
    assert {each.metadata.name for each in rendered.all(Route)} == {each.metadata.name for each in base.all(Ingress)}
    for route in rendered.all(Route):
        name = route.metadata.name
        ingress, (port,) = base.one(Ingress, name), base.one(Service, name).spec.ports
        assert route.spec.hostnames == [rule.host for rule in ingress.spec.rules]
        (rule,) = route.spec.rules
        assert [(each.name, each.port) for each in rule.backend_refs] == [(name, port.port)]
        (match,) = rule.matches
        last = [each.path for rules in ingress.spec.rules for each in rules.http.paths][-1]
        assert match.path.value == last.removesuffix("(/|$)(.*)")
        rewritten = [each.url_rewrite.path.replace_prefix_match for each in rule.filters]
        assert rewritten == (
            ["/"] if "nginx.ingress.kubernetes.io/rewrite-target" in ingress.metadata.annotations else []
        )
    (gateway,) = rendered.all(Gateway)
    assert {each.hostname for each in gateway.spec.listeners} == {"sector.local"}
    assert not rendered.all(Ingress)
    assert {start for _, start, _, _ in arrows(rendered) if start.startswith("[")} == {"[envoy-gateway-system]"}


def test_who_watches_may_ask_the_api_for_its_figures(tmp_path: Path) -> None:
    rendered = Rendered.of(with_component(tmp_path, "monitoring"))
    (monitor,) = rendered.all(Monitor)
    (endpoint,) = monitor.spec.endpoints
    watched = [
        each
        for each in rendered.all(Service)
        if monitor.spec.selector.match_labels.items() <= each.metadata.labels.items()
    ]
    assert [port.name for each in watched for port in each.spec.ports] == [endpoint.port]
    assert ("ingress", "[monitoring]", "api", 8000) in list(arrows(rendered))


def test_every_alert_has_its_place_in_the_handbook(tmp_path: Path) -> None:
    handbook = Path("docs/operations.md").read_text()
    (alerts,) = Rendered.of(with_component(tmp_path, "monitoring")).all(Alerts)
    rules = [rule for group in alerts.spec.groups for rule in group.rules]
    assert rules
    for rule in rules:
        assert f"### {rule.alert}\n" in handbook
        assert rule.annotations["runbook"] == f"docs/operations.md#{rule.alert.lower()}"


def test_prometheus_reads_the_alerts(tmp_path: Path) -> None:
    program = require_program("promtool", hint="apt-get install prometheus")
    (alerts,) = (each for each in render(with_component(tmp_path, "monitoring")) if each["kind"] == "PrometheusRule")
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(alerts["spec"]))
    subprocess.run(
        [program, "check", "rules", str(tmp_path / "alerts.yaml")], check=True, capture_output=True, timeout=60
    )


def test_the_controller_is_the_last_there_was_and_says_that_it_is_retired() -> None:
    text = Path("k8s/ingress-nginx/controller.yaml").read_text()
    assert "RETIRED" in text
    assert "components/gateway" in text
    assert re.findall(r"image: (\S+)", text) == ["registry.k8s.io/ingress-nginx/controller:v1.15.1"]
    kinds = [each["kind"] for each in yaml.safe_load_all(text)]
    assert {"Namespace", "ServiceAccount", "ClusterRole", "Role", "Deployment", "Service", "IngressClass"} <= set(kinds)
