"""The manifests render, and fit the strict schemas of three versions of Kubernetes."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from deployment.rendered import BASE, CUSTOM, FOLDERS, KustomizeError, render, with_component

COMPONENTS = ["autoscale", "gateway", "load", "monitoring"]
# The newest version, and the two before it.
VERSIONS = ["1.37", "1.36", "1.35"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_rendered_manifests_match_the_strict_schema(folder: Path, version: str) -> None:
    objects = render(folder)
    assert objects
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bundled_controller_matches_the_strict_schema(version: str) -> None:
    for each in yaml.safe_load_all(Path("k8s/ingress-nginx/controller.yaml").read_text()):
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_renders_with_the_base(tmp_path: Path, component: str) -> None:
    for each in render(with_component(tmp_path, component)):
        if each["apiVersion"] not in CUSTOM:
            for version in VERSIONS:
                kubernetes_validate.validate(each, version, strict=True)


def test_an_unknown_field_is_rejected() -> None:
    service, *_ = (each for each in render(BASE) if each["kind"] == "Service")
    assert isinstance(service["spec"], dict)
    service["spec"]["sesionAffinity"] = "ClientIP"
    with pytest.raises(kubernetes_validate.ValidationError, match="sesionAffinity"):
        kubernetes_validate.validate(service, VERSIONS[0], strict=True)


def test_an_invalid_folder_is_rejected_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    with pytest.raises(KustomizeError, match=r"nowhere\.yaml"):
        render(tmp_path)
