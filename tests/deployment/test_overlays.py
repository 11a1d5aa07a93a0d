"""Each overlay and component has its documented content."""

import re
from pathlib import Path

import yaml

from deployment.arrows import arrows
from deployment.kinds import (
    Autoscaler,
    Deployment,
    Gateway,
    Ingress,
    Job,
    Namespace,
    NetworkPolicy,
    Route,
    Secret,
    Service,
    StatefulSet,
)
from deployment.rendered import LOCAL, Rendered, with_component


def test_the_base_contains_the_documented_workloads(base: Rendered, production: Rendered) -> None:
    assert {each.metadata.name for each in base.all(Deployment)} == {"api", "viz", "worker", "bot"}
    assert [each.metadata.name for each in base.all(StatefulSet)] == ["redis"]
    assert {each.metadata.name for each in base.all(Ingress)} == {"api", "viz"}
    assert {rule.host for ingress in base.all(Ingress) for rule in ingress.spec.rules} == {"sector.local"}
    (namespace,) = base.all(Namespace)
    assert namespace.metadata.labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each.metadata.namespace for each in base.objects if each.kind != "Namespace"} == {"sector"}
    assert not production.all(StatefulSet)


def test_ingresses_allow_long_streams_and_session_affinity(base: Rendered) -> None:
    prefix = "nginx.ingress.kubernetes.io/"
    for ingress in base.all(Ingress):
        for side in ("read", "send"):
            assert int(ingress.metadata.annotations[f"{prefix}proxy-{side}-timeout"]) >= 3600
    assert base.one(Ingress, "viz").metadata.annotations[f"{prefix}affinity"] == "cookie"
    assert [path.path for rule in base.one(Ingress, "viz").spec.rules for path in rule.http.paths] == ["/ws", "/"]


def test_production_has_replicas_tls_and_no_default_passwords(production: Rendered) -> None:
    assert {each.metadata.name: each.spec.min_replicas for each in production.all(Autoscaler)} == {
        "api": 3,
        "viz": 2,
        "worker": 2,
    }
    # Otherwise `apply` would reset the number of the autoscaler.
    assert {each.metadata.name: each.spec.replicas for each in production.all(Deployment)} == {
        "api": None,
        "viz": None,
        "worker": None,
        "bot": 1,
    }
    assert not production.all(Secret)
    for ingress in production.all(Ingress):
        (tls,) = ingress.spec.tls
        assert tls.hosts == [rule.host for rule in ingress.spec.rules] == ["sector.example.org"]


def test_local_has_one_replica_each_on_node_ports() -> None:
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


def test_load_jobs_may_reach_only_api_and_viz(tmp_path: Path) -> None:
    rendered = Rendered.of(with_component(tmp_path, "load"))
    lead, ask = rendered.one(Job, "load"), rendered.one(Job, "load-worker")
    (leader,), (worker,) = lead.spec.template.spec.containers, ask.spec.template.spec.containers
    assert f"--expect-workers={ask.spec.parallelism}" in leader.args
    assert ask.spec.parallelism == ask.spec.completions
    assert leader.image == worker.image
    assert re.fullmatch(r"sector-load:\d+\.\d+\.\d+", worker.image)
    (port,), (given,) = rendered.one(Service, "load").spec.ports, leader.ports
    assert (port.port, port.target_port) == (given.container_port, given.name)
    assert "--master-host=load" in worker.args
    let_out = {(end, port) for side, start, end, port in arrows(rendered) if (side, start) == ("egress", "load-worker")}
    assert let_out == {("load", 5557), ("api", 8000), ("viz", 9000)}
    let_in = {(end, port) for side, start, end, port in arrows(rendered) if (side, start) == ("ingress", "load-worker")}
    assert let_in == let_out
    for each in (f"--host=http://api:{8000}", f"--viz=http://viz:{9000}"):
        assert each in leader.args


def test_the_controller_is_the_last_release_and_marked_as_retired() -> None:
    text = Path("k8s/ingress-nginx/controller.yaml").read_text()
    assert "RETIRED" in text
    assert "components/gateway" in text
    assert re.findall(r"image: (\S+)@", text) == ["registry.k8s.io/ingress-nginx/controller:v1.15.1"]
    (service,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "Service")
    assert service["spec"]["type"] == "LoadBalancer"
    kinds = [each["kind"] for each in yaml.safe_load_all(text)]
    assert {"Namespace", "ServiceAccount", "ClusterRole", "Role", "Deployment", "Service", "IngressClass"} <= set(kinds)
