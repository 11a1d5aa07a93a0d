"""`./pants run docker:sbom -- dist`: a bill of materials for each service, from the lock."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from bill_of_materials import base_image, main
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deployment.engine import PORTS

LOCK = "3rdparty/python/requirements.lock"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for pex in Path().glob("services.*/*s.pex"):
        (tmp_path / pex).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(pex, tmp_path / pex)
    return tmp_path


def test_every_image_has_a_valid_and_complete_bill_of_materials(dist: Path) -> None:
    assert main([str(dist)]) == 0
    for service in PORTS:
        text = (dist / f"services.{service}" / "sbom.cdx.json").read_text()
        assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
        document = json.loads(text)
        assert document["metadata"]["component"]["name"] == f"sector-{service}"
        info = json.loads(zipfile.ZipFile(dist / f"services.{service}" / "dependencies.pex").read("PEX-INFO"))
        of_pypi = [each for each in document["components"] if each["purl"].startswith("pkg:pypi/")]
        assert len(of_pypi) == len(info["distributions"])


def test_every_component_has_the_digests_of_the_lock(dist: Path) -> None:
    main([str(dist)])
    lock = "\n" + Path(LOCK).read_text()
    for each in json.loads((dist / "services.worker" / "sbom.cdx.json").read_text())["components"]:
        if each["type"] == "container":
            continue
        assert f"\n{each['name']}" in lock
        assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
        (files,) = each["externalReferences"]
        assert files["hashes"]
        assert all(f"--hash=sha256:{digest['content']}" in lock for digest in files["hashes"])


def test_a_component_missing_from_the_lock_is_rejected(
    dist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.lock").write_text(Path(LOCK).read_text().replace("\nnumpy==", "\nnot-numpy=="))
    assert main([str(dist), "--lock", str(tmp_path / "other.lock")]) == 2
    assert "numpy" in capsys.readouterr().err


def test_a_missing_package_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "./pants package ::" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("worker", set()),
        ("api", {"swagger-ui-dist"}),
        ("viz", {"socket.io-client", "uplot"}),
        ("standalone", {"swagger-ui-dist", "socket.io-client", "uplot", "valkey"}),
    ],
)
def test_components_from_outside_pypi_are_listed(dist: Path, service: str, names: set[str]) -> None:
    main([str(dist)])
    text = (dist / f"services.{service}" / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    others = {each["name"]: each for each in json.loads(text)["components"] if "pkg:pypi" not in each["purl"]}
    assert others.keys() == names | {"python"}
    assert re.fullmatch(r"pkg:docker/python@sha256:[0-9a-f]{64}", others["python"]["purl"])
    for name in names - {"valkey"}:
        (files,) = others[name]["externalReferences"]
        assert others[name]["purl"] == f"pkg:npm/{name}@{others[name]['version']}"
        assert len(files["hashes"]) >= 2
        assert others[name]["licenses"]


@pytest.mark.parametrize(
    ("image", "purl"),
    [
        ("python:3.13", "pkg:docker/python@3.13"),
        ("python:3.13@sha256:0123", "pkg:docker/python@sha256:0123"),
        ("registry.example.org/python:1", "pkg:docker/registry.example.org/python@1"),
    ],
)
def test_the_base_image_is_the_one_of_the_dockerfile(image: str, purl: str) -> None:
    (component,) = base_image(f"# an image\nARG PYTHON={image}\nFROM ${{PYTHON}}\n")
    assert str(component.purl) == purl
