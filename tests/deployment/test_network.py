"""The NetworkPolicies: the arrows of docs/architecture.md, from both ends, and no others."""

from pathlib import Path

import pytest

from deployment.arrows import arrows, drawn
from deployment.kinds import NetworkPolicy, Service
from deployment.rendered import FOLDERS, Rendered


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
