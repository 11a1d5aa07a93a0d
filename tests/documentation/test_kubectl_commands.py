"""The kubectl commands of the documents: what they name is in the manifests, or another command there makes it."""

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml
from make_secrets import main
from pydantic import BaseModel, Field

from deployment.kinds import Deployment, Ingress, StatefulSet, Workload
from deployment.rendered import BASE, LOCAL, PRODUCTION, Rendered, container_of, render
from documentation.code_blocks import blocks_of
from documentation.kubectl_commands import KubectlCommand, kubectl_commands

COMMANDS = list(kubectl_commands())
OPERATE = "docs/guides/operate.md"


class PatchedPod(BaseModel):
    """What the patch of the guide adds to a Deployment."""

    class _Spec(BaseModel):
        class _Template(BaseModel):
            class _Pod(BaseModel):
                class _Container(BaseModel):
                    class _Variable(BaseModel):
                        name: str
                        value: str

                    class _Mount(BaseModel):
                        name: str
                        path: str = Field(alias="mountPath")

                    env: list[_Variable]
                    mounts: list[_Mount] = Field(alias="volumeMounts")

                class _Volume(BaseModel):
                    class _Secret(BaseModel):
                        name: str = Field(alias="secretName")

                    name: str
                    secret: _Secret

                containers: list[_Container]
                volumes: list[_Volume]

            spec: _Pod

        template: _Template

    spec: _Spec


@cache
def rendered(folder: Path) -> Rendered:
    return Rendered.of(folder)


@pytest.fixture
def printed_secrets(capsys: pytest.CaptureFixture[str]) -> dict[str, set[str]]:
    """The Secrets that `./pants run k8s:secrets` prints: the keys of each."""
    assert main([]) == 0
    return {each["metadata"]["name"]: set(each["stringData"]) for each in yaml.safe_load_all(capsys.readouterr().out)}


def workload_of(command: KubectlCommand) -> Workload:
    """Return the Deployment, or the StatefulSet of the pod, that a command names."""
    ((kind, name),) = command.objects()
    manifests = rendered(command.folder)
    return manifests.one(Deployment, name) if kind == "Deployment" else manifests.one(StatefulSet, name[:-2])


def awaited_secrets(folder: Path) -> set[str]:
    """Return the Secrets that containers and Ingresses name, also those of the patch in the guide."""
    manifests = rendered(folder)
    references = [each.secret_ref for workload in manifests.workloads for each in container_of(workload).env_from]
    certificates = {tls.secret_name for ingress in manifests.all(Ingress) for tls in ingress.spec.tls}
    patched = set(re.findall(r"secretName: ([\w-]+)", keys_patch()))
    return {each.name for each in references if each} | certificates | patched


def keys_patch() -> str:
    """Return the patch of the guide that mounts the keys."""
    (patch,) = (text for text in blocks_of(OPERATE, "yaml") if "AUTH_JWKS" in text)
    return patch


def test_the_documents_have_commands_for_each_overlay() -> None:
    assert len(COMMANDS) > 25
    assert {command.folder for command in COMMANDS} <= {BASE, LOCAL, PRODUCTION}
    assert {BASE, PRODUCTION} <= {command.folder for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_what_a_command_names_exists(command: KubectlCommand, printed_secrets: dict[str, set[str]]) -> None:
    manifests = rendered(command.folder)
    existing = {(str(each.kind), each.metadata.name) for each in manifests.objects}
    existing |= {
        ("Pod", f"{each.metadata.name}-{number}")
        for each in manifests.all(StatefulSet)
        for number in range(each.spec.replicas)
    }
    if command.folder == PRODUCTION:
        existing |= {("Secret", name) for name in printed_secrets}
    if command.verb == "create":
        existing |= {("Secret", name) for name in awaited_secrets(command.folder)}
    assert [each for each in command.objects() if each not in existing] == []
    assert {("Namespace", name) for name in command.values("-n")} <= existing


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.values("-l")], ids=str)
def test_a_selector_selects_pods(command: KubectlCommand) -> None:
    for selector in command.values("-l"):
        label, names = re.fullmatch(r"(\S+) in \((.*)\)", selector).groups()  # type: ignore[union-attr]
        templates = [each.spec.template.metadata.labels for each in rendered(command.folder).workloads]
        assert set(names.split(",")) <= {labels.get(label) for labels in templates}


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.ports], ids=str)
def test_a_forwarded_port_is_one_of_the_container(command: KubectlCommand) -> None:
    assert set(command.ports) <= {each.container_port for each in container_of(workload_of(command)).ports}


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.program], ids=str)
def test_a_file_that_exec_names_is_mounted(command: KubectlCommand) -> None:
    workload, manifests = workload_of(command), rendered(command.folder)
    files = set[str]()
    for mount in container_of(workload).volume_mounts:
        for volume in (each for each in workload.spec.template.spec.volumes if each.name == mount.name):
            names = [each.config_map.name for each in volume.projected.sources if each.config_map]
            files |= {f"{mount.mount_path}/{key}" for name in names for key in manifests.contents(name, None)}
    # (/app is in the image: tests/deployment/test_images.py)
    named = [word for word in command.program if word.startswith("/") and not word.startswith("/app/")]
    assert [word for word in named if word not in files] == []


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.values("-o")], ids=str)
def test_a_key_that_is_read_is_in_the_secret(command: KubectlCommand, printed_secrets: dict[str, set[str]]) -> None:
    keys = {
        match[1].replace("\\", "")
        for path in command.values("-o")
        if (match := re.fullmatch(r"jsonpath=\{\.data\.(.+)\}", path))
    }
    assert all(keys <= printed_secrets[name] for _, name in command.objects() if command.verb == "get")


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.values("--from-literal")], ids=str)
def test_a_secret_that_is_replaced_keeps_its_keys(
    command: KubectlCommand, printed_secrets: dict[str, set[str]]
) -> None:
    ((_, name),) = command.objects()
    assert {each.partition("=")[0] for each in command.values("--from-literal")} == printed_secrets[name]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_manifests_that_a_command_applies_exist(command: KubectlCommand) -> None:
    assert all((Path(folder) / "kustomization.yaml").is_file() for folder in command.values("-k"))
    assert all(file == "-" or Path(file).is_file() for file in command.values("-f"))


def test_the_patch_of_the_guide_mounts_the_keys(tmp_path: Path) -> None:
    manifests = tmp_path / "k8s"
    shutil.copytree("k8s", manifests)
    overlay = manifests / PRODUCTION.relative_to("k8s")
    kustomization = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    kustomization["patches"].append({"path": "keys.yaml"})
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    (overlay / "keys.yaml").write_text(keys_patch())
    (pod,) = (
        PatchedPod.model_validate(each).spec.template.spec
        for each in render(overlay)
        if "keys.json" in yaml.safe_dump(each)
    )
    (mount,), (volume,), (variable,) = pod.containers[0].mounts, pod.volumes, pod.containers[0].env
    (file,) = {file for command in COMMANDS for file in command.values("--from-file")}
    assert (mount.name, volume.secret.name) == (volume.name, "api-keys")
    assert (variable.name, variable.value) == ("AUTH_JWKS", f"{mount.path}/{file}")
