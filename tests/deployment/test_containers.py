"""Every workload has labels, probes, limits, no privileges, a grace period, and its own node."""

from pathlib import Path

import pytest

from deployment.kinds import ConfigMap, Deployment, DisruptionBudget, Secret
from deployment.rendered import FOLDERS, Rendered, container_of

# The maximum seconds of a process from SIGTERM to its end, after a tick (docs/guides/operate.md, Stopping).
ENDS_WITHIN_S = 5


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
def test_containers_have_distinct_probes_limits_and_no_privileges(folder: Path) -> None:
    for workload in Rendered.of(folder).workloads:
        container, security = container_of(workload), workload.spec.template.spec.security_context
        probes = [container.startup_probe, container.liveness_probe, container.readiness_probe]
        probe_actions = [
            (each.http_get or each.exec or each.tcp_socket, each.period_seconds, each.failure_threshold)
            for each in probes
        ]
        assert all(what for what, _, _ in probe_actions)
        assert len({str(each) for each in probe_actions}) == 3
        # A server that is blocked by a script still accepts connections.
        assert not container.liveness_probe.tcp_socket
        if container.liveness_probe.http_get and container.readiness_probe.http_get:
            # An unreachable Redis must not restart this process.
            assert container.liveness_probe.http_get.path == "/health/live"
            assert container.readiness_probe.http_get.path == "/health/ready"
        for amounts in (container.resources.requests, container.resources.limits):
            assert amounts.keys() == {"cpu", "memory"}
        assert container.security_context.capabilities.drop == ["ALL"]
        assert security.run_as_user >= 10_000
        assert security.run_as_group >= 10_000


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_probes_use_ports_of_their_container(folder: Path) -> None:
    for workload in Rendered.of(folder).workloads:
        container = container_of(workload)
        ports = {each.name for each in container.ports}
        for probe in (container.startup_probe, container.liveness_probe, container.readiness_probe):
            action = probe.http_get or probe.tcp_socket
            assert action is None or action.port in ports


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_grace_periods_cover_the_shutdown(folder: Path) -> None:
    for deployment in Rendered.of(folder).all(Deployment):
        container, spec = container_of(deployment), deployment.spec.template.spec
        asleep_s = container.lifecycle.pre_stop.sleep.seconds if container.lifecycle else 0
        assert asleep_s + ENDS_WITHIN_S < spec.termination_grace_period_seconds
        # Servers continue until other pods know that they end. A worker must hand over as early as possible.
        assert (asleep_s > 0) == (deployment.metadata.name in ("api", "viz"))


def test_replicas_are_spread_and_have_a_disruption_budget(base: Rendered) -> None:
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
