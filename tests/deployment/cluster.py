"""The rendered base as a whole: all its pods, behind an nginx that follows its Ingresses."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deployment.ingress_nginx import IngressProxy
from deployment.kinds import Deployment, Ingress
from deployment.pods import Node, Pod
from deployment.rendered import Rendered

# In this order, each service finds its dependencies at once.
ORDER = ("redis", "worker", "api", "viz", "bot")
# Seconds until all nodes know that a pod ends: less than the sleep of preStop.
_HEARD_AFTER_S = 1.0


class Cluster:
    """Pods that are started and rolled out like the controller of a Deployment does it."""

    def __init__(
        self, rendered: Rendered, images: Mapping[str, str], mark: str, nginx: str, port: int, directory: Path
    ) -> None:
        self.rendered = rendered
        self.pods: dict[str, list[Pod]] = {}
        self._node = Node(rendered, images, mark, directory)
        self.gate = IngressProxy(rendered.all(Ingress), nginx, port, directory)

    def start(self) -> None:
        """Start all pods, and wait until each is ready."""
        for name in ORDER:
            wanted = self._replicas(name)
            self.pods[name] = [self._node.start(name).await_start() for _ in range(wanted)]
        self.lead()

    def lead(self) -> None:
        """Send the current pods to nginx."""
        ports = {name: [pod.endpoints["http"] for pod in self.pods[name]] for name in ("api", "viz")}
        self.gate.open(ports)

    def roll_out(self, name: str) -> list[int]:
        """Replace the pods of a Deployment, with the new pod first unless the strategy is Recreate; returns exit codes."""
        deployment = self.rendered.one(Deployment, name)
        codes = []
        for old in list(self.pods[name]):
            self.pods[name].remove(old)
            if deployment.spec.strategy.type == "Recreate":
                codes.append(old.terminate())
            self.pods[name].append(self._node.start(name).await_start())
            if deployment.spec.strategy.type == "RollingUpdate":
                codes.append(self._retire(name, old))
        return codes

    def _retire(self, name: str, old: Pod) -> int:
        """End a pod whose successor is ready. The pod gets the signal before nginx knows, so it still gets requests."""
        self.pods[name].append(old)
        self.lead()
        with ThreadPoolExecutor(1) as kubelet:
            code = kubelet.submit(old.terminate)
            time.sleep(_HEARD_AFTER_S)
            self.pods[name].remove(old)
            self.lead()
            return code.result()

    def _replicas(self, name: str) -> int:
        (workload,) = (each for each in self.rendered.workloads if each.metadata.name == name)
        return workload.spec.replicas or 1
