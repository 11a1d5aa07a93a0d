"""The connections between the parts: those that NetworkPolicies allow, and those in the diagram."""

import re
from collections.abc import Iterator
from pathlib import Path

from deployment.kinds import NetworkPolicy, Peer
from deployment.rendered import Rendered

NODE_LOCAL_DNS = "169.254.20.10/32"
"""The default address of NodeLocal DNSCache on each node."""


def named(peer: Peer) -> str:
    """Return the peer of a policy: a part, or a namespace in brackets."""
    if peer.pod_selector is not None:
        labels = peer.pod_selector.match_labels
        return labels.get("app.kubernetes.io/name") or labels["app.kubernetes.io/component"]
    if peer.namespace_selector is not None:
        return f"[{peer.namespace_selector.match_labels['kubernetes.io/metadata.name']}]"
    if peer.ip_block is not None and peer.ip_block.cidr == NODE_LOCAL_DNS:
        return f"[{NODE_LOCAL_DNS}]"
    return "[outside]"


def arrows(rendered: Rendered) -> Iterator[tuple[str, str, str, int]]:
    """Yield each connection that a policy allows: the end with the policy, from, to, port."""
    for policy in rendered.all(NetworkPolicy):
        own = policy.spec.pod_selector.match_labels.get("app.kubernetes.io/name", "*")
        for ingress in policy.spec.ingress:
            for peer in ingress.from_ or []:
                yield from (("ingress", named(peer), own, port.port) for port in ingress.ports)
        for egress in policy.spec.egress:
            for peer in egress.to:
                yield from (("egress", own, named(peer), port.port) for port in egress.ports)


def drawn() -> set[tuple[str, str]]:
    """Return the connections in the first diagram of docs/concepts/architecture.md, by names of the manifests."""
    drawing = re.search(
        r"```mermaid\nflowchart LR\n(.*?)```", Path("docs/concepts/architecture.md").read_text(), re.DOTALL
    )
    assert drawing
    names = {"bots": "bot", "worker1": "worker", "worker2": "worker", "people": "[ingress-nginx]"}
    arrow_ends = re.findall(
        r"^ *(\w+)(?:\[.*?\]|\(\(.*?\)\))? *(?:-->|--.*-->|-\. .* \.->) *(\w+)", drawing[1], re.MULTILINE
    )
    return {(names.get(start, start), names.get(end, end)) for start, end in arrow_ends}
