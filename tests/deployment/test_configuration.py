"""The configuration in the manifests: valid settings, used files, and images of this version."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from deployment.engine import PORTS, version
from deployment.kinds import ConfigMap, Deployment, Secret
from deployment.rendered import FOLDERS, Rendered, container_of
from sector.api.settings import ApiSettings
from sector.bot.settings import BotSettings
from sector.process import Settings
from sector.viz.settings import VizSettings
from sector.worker.settings import WorkerSettings

SETTINGS: Mapping[str, type[Settings]] = {
    "api": ApiSettings,
    "viz": VizSettings,
    "worker": WorkerSettings,
    "bot": BotSettings,
}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_environment_variable_is_a_valid_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    objects = [each.metadata.name for each in (*rendered.all(ConfigMap), *rendered.all(Secret))]
    if name not in objects:
        # Production has Secrets that are created outside of the manifests (test_secrets).
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
    references = {("ConfigMap", each.metadata.name) for each in rendered.all(ConfigMap)}
    references |= {("Secret", each.metadata.name) for each in rendered.all(Secret)}
    assert references <= used


def test_the_files_of_redis_are_those_of_compose() -> None:
    for name in ("redis.conf", "users.acl", "backup.sh"):
        assert Path("k8s/redis", name).read_text() == Path("docker", name).read_text()


def versions() -> dict[str, str]:
    return {f"sector-{service}": version(service) for service in PORTS}


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_images_have_this_version_and_can_be_replaced(folder: Path) -> None:
    images = yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]
    assert {each["name"]: each["newTag"] for each in images} == versions()
    used = {container_of(each).image for each in Rendered.of(folder).all(Deployment)}
    assert used == {f"{name}:{version}" for name, version in versions().items()}


def test_third_party_images_are_pinned_by_tag_and_digest() -> None:
    texts = [Path(file).read_text() for file in ("docker/Dockerfile", "docker/redis.Dockerfile", "docker/compose.yaml")]
    texts += [file.read_text() for file in Path("k8s").rglob("*.yaml")]
    images = re.findall(r"(?:ARG (?:PYTHON|REDIS_IMAGE)=|image: )(\S+)", "\n".join(texts))
    others = {name for name in images if not name.startswith("sector-")}
    assert {name.partition(":")[0].rpartition("/")[2] for name in others} == {"python", "valkey", "controller"}
    for name in others:
        assert re.fullmatch(r"[a-z0-9./-]+:[a-z0-9.-]+@sha256:[0-9a-f]{64}", name)


def test_kustomize_edit_set_image_changes_the_image(tmp_path: Path) -> None:
    shutil.copytree("k8s", tmp_path / "k8s")
    file = tmp_path / "k8s" / "kustomization.yaml"
    # The result of `kustomize edit set image sector-api=registry.example.org:5000/sector-api:9.9`.
    edited = yaml.safe_load(file.read_text())
    edited["images"][0] |= {"newName": "registry.example.org:5000/sector-api", "newTag": "9.9"}
    file.write_text(yaml.safe_dump(edited))
    images = {each.metadata.name: container_of(each).image for each in Rendered.of(tmp_path / "k8s").all(Deployment)}
    assert images["api"] == "registry.example.org:5000/sector-api:9.9"
    assert images["viz"] == f"sector-viz:{versions()['sector-viz']}"
