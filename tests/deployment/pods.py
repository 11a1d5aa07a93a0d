"""Pods of a rendered manifest, started with Docker like a kubelet: image, user, environment, command, mounts, limits;
their probes and their end."""

import http.client
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deployment.engine import EngineError, available, docker, logs
from deployment.kinds import StatefulSet, Workload
from deployment.pod_parts import Container, Probe, Source
from deployment.rendered import Rendered

# Kubernetes and Docker write amounts of memory differently.
_BINARY = {"Mi": "m", "Gi": "g"}


class ProbeError(Exception):
    """A probe failed more often than its manifest allows."""

    def __init__(self, pod: str, what: str, response: str, log: str) -> None:
        super().__init__(f"{pod}: {what}: {response}\n{log}")
        self.pod, self.what, self.response = pod, what, response


@dataclass
class Pod:
    """A running pod. `endpoints` has the port of this machine for each of its ports."""

    name: str
    container: Container
    id: str
    grace_s: int
    endpoints: dict[str, int] = field(default_factory=dict)

    def await_start(self) -> "Pod":
        """Wait until the startup, liveness and readiness probes succeed, in this order. Raises ProbeError."""
        for what in ("startup_probe", "liveness_probe", "readiness_probe"):
            probe: Probe = getattr(self.container, what)
            failure: str | None = "not asked"
            # A pod may take long until it is ready, but not longer than the test.
            for _ in range(max(probe.failure_threshold, 30 // probe.period_seconds)):
                failure = self.ask(probe)
                if failure is None:
                    break
                time.sleep(probe.period_seconds)
            else:
                raise ProbeError(self.name, what, failure or "", logs(self.id)[-3000:])
        return self

    def ask(self, probe: Probe) -> str | None:
        """Return why a probe fails; None if it succeeds."""
        try:
            if probe.exec is not None:
                docker("exec", self.id, *probe.exec.command, timeout_s=probe.timeout_seconds + 5)
            elif probe.http_get is not None:
                port = self.endpoints[str(probe.http_get.port)]
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=probe.timeout_seconds)
                connection.request("GET", probe.http_get.path)
                answer = connection.getresponse()
                if not 200 <= answer.status < 400:
                    return f"{answer.status} {answer.read().decode()}"
            elif probe.tcp_socket is not None:
                where = ("127.0.0.1", self.endpoints[str(probe.tcp_socket.port)])
                socket.create_connection(where, probe.timeout_seconds).close()
        except (OSError, http.client.HTTPException, EngineError) as error:
            return repr(error)
        return None

    def terminate(self) -> int:
        """End the pod like a kubelet: preStop, SIGTERM, and SIGKILL after the grace period; returns its exit code."""
        asleep_s = self.container.lifecycle.pre_stop.sleep.seconds if self.container.lifecycle else 0
        time.sleep(asleep_s)
        docker("stop", f"--time={self.grace_s - asleep_s}", self.id)
        return int(docker("inspect", "--format={{.State.ExitCode}}", self.id))


class Node:
    """A network in which pods run and Services have their names."""

    def __init__(self, rendered: Rendered, images: Mapping[str, str], mark: str, directory: Path) -> None:
        """`images` has the image to run for each repository in the manifests."""
        self._rendered, self._images, self._mark, self._directory = rendered, images, mark, directory
        self._network = f"sector-test-{uuid.uuid4().hex[:8]}"
        docker("network", "create", f"--label={mark}", self._network)

    def start(self, name: str) -> Pod:
        """Start a pod of a workload, without waiting for it."""
        (workload,) = (each for each in self._rendered.workloads if each.metadata.name == name)
        spec = workload.spec.template.spec
        (container,) = spec.containers
        pod = f"{name}-{uuid.uuid4().hex[:6]}"
        repository, _, _ = container.image.partition(":")
        id_ = docker(
            *(
                "run",
                "--detach",
                f"--label={self._mark}",
                f"--name={pod}",
                f"--hostname={pod}",
                f"--network={self._network}",
            ),
            *(
                f"--network-alias={each.metadata.name}"
                for each in self._rendered.services_of(workload.spec.template.metadata.labels)
            ),
            *self._security(workload),
            *(f"--env={key}={value}" for key, value in self._rendered.environment(workload).items()),
            *(f"--publish=127.0.0.1::{port.container_port}" for port in container.ports),
            *(f"--volume={mount}" for mount in self._mounts(workload, pod)),
            f"--memory={_amount(container.resources.limits['memory'])}",
            f"--cpus={container.resources.limits['cpu'].replace('500m', '0.5')}",
            *(["--entrypoint", container.command[0]] if container.command else []),
            self._images.get(repository) or available(container.image),
            *(container.command[1:] if container.command else []),
        )
        return Pod(pod, container, id_, spec.termination_grace_period_seconds, _endpoints(id_, container))

    def _security(self, workload: Workload) -> list[str]:
        """RuntimeDefault of Seccomp is the default of Docker."""
        spec = workload.spec.template.spec
        (container,) = spec.containers
        user = spec.security_context
        return [
            f"--user={user.run_as_user}:{user.run_as_group}",
            *(f"--cap-drop={each}" for each in container.security_context.capabilities.drop),
            # Every container has these two (kinds allows no others): readOnlyRootFilesystem, allowPrivilegeEscalation: false.
            "--read-only",
            "--security-opt=no-new-privileges",
        ]

    def _mounts(self, workload: Workload, pod: str) -> list[str]:
        spec = workload.spec.template.spec
        (container,) = spec.containers
        mounts = []
        for mount in container.volume_mounts:
            directory = self._directory / pod / mount.name
            directory.mkdir(parents=True)
            for volume in spec.volumes:
                if volume.name == mount.name:
                    for source in volume.projected.sources:
                        for key, value in self._files(source).items():
                            (directory / key).write_text(value)
            if isinstance(workload, StatefulSet) and mount.name in [
                each.metadata.name for each in workload.spec.volume_claim_templates
            ]:
                # A volume belongs to the group of the pod (fsGroup).
                directory.chmod(0o777)
            mounts.append(f"{directory}:{mount.mount_path}{':ro' if mount.read_only else ''}")
        return mounts

    def _files(self, source: Source) -> dict[str, str]:
        if source.secret is None:
            return self._rendered.contents(source.config_map.name if source.config_map else None, None)
        contents = self._rendered.contents(None, source.secret.name)
        return {item.path: contents[item.key] for item in source.secret.items}


def _endpoints(id_: str, container: Container) -> dict[str, int]:
    return {
        port.name: int(docker("port", id_, str(port.container_port)).splitlines()[0].rpartition(":")[2])
        for port in container.ports
    }


def _amount(memory: str) -> str:
    return memory[:-2] + _BINARY[memory[-2:]]
