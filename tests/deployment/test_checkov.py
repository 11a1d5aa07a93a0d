"""Checkov checks the manifests. Each accepted finding has its reason here, and any other finding fails."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from deployment.rendered import BASE, LOCAL, PRODUCTION, render
from fixtures.requires import require_program

ALLOWED: Mapping[str, str] = {
    "CKV_K8S_43": "images by digest: our own are in no registry; pin them by `kustomize edit set image`",
    "CKV_K8S_15": "IfNotPresent: a tag is one version, and images of a cluster on one's own machine are in no registry",
    "CKV_K8S_35": "secrets in the environment: settings are environment variables throughout; nothing else runs in these containers",
}
# Findings of the controller, which is a program of another project.
CONTROLLER: Mapping[str, str] = {
    "CKV_K8S_22": "it writes its nginx.conf",
    "CKV_K8S_25": "NET_BIND_SERVICE, for ports 80 and 443",
    "CKV_K8S_38": "it follows Ingresses, so it needs its token",
    "CKV_K8S_40": "the user is that of its image",
    "CKV2_K8S_6": "its namespace has no policies: whom it serves is for the outside",
}


class _Check(BaseModel):
    check_id: str
    resource: str


class _Results(BaseModel):
    failed_checks: list[_Check]


class _Summary(BaseModel):
    passed: int
    parsing_errors: int


class _Report(BaseModel):
    results: _Results
    summary: _Summary


def findings(file: Path) -> _Report:
    program = require_program("checkov", hint="pip install checkov")
    command = [program, "--file", str(file), "--framework", "kubernetes", "--output", "json", "--compact", "--quiet"]
    # Otherwise Checkov downloads a list from its vendor.
    environment = {**os.environ, "BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return TypeAdapter(_Report).validate_json(done.stdout)


@pytest.mark.parametrize("folder", [BASE, LOCAL, PRODUCTION], ids=str)
def test_checkov_findings_are_the_accepted_ones(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(render(folder)))
    report = findings(tmp_path / "all.yaml")
    assert report.summary.parsing_errors == 0
    assert report.summary.passed > 100
    # Every accepted finding must still occur.
    assert {each.check_id for each in report.results.failed_checks} == set(ALLOWED)


def test_checkov_findings_of_the_controller_are_the_accepted_ones() -> None:
    failed_checks = {
        each.check_id for each in findings(Path("k8s/ingress-nginx/controller.yaml")).results.failed_checks
    }
    # Every accepted finding must still occur.
    assert failed_checks == set(CONTROLLER)


def test_checkov_reports_a_privileged_container(tmp_path: Path) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "sector"},
        "spec": {"containers": [{"name": "x", "image": "x:1", "securityContext": {"privileged": True}}]},
    }
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
    assert "CKV_K8S_16" in [each.check_id for each in findings(tmp_path / "pod.yaml").results.failed_checks]
