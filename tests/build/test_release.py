"""`.ci/release`: what prevents a release, and what a release contains. `.ci/run` makes one with `--check`."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import release
import release_versions
from fixtures.requires import require_program
from release_versions import ReleaseError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two distributions, one commit and the tag v1.0.0."""
    require_program("git", hint="apt-get install git")
    for folder, version in (("packages/models", "0.1.0"), (release_versions.STANDALONE, "1.0.0")):
        (tmp_path / folder / "src").mkdir(parents=True)
        (tmp_path / folder / "src/module.py").write_text("ONE = 1\n")
        (tmp_path / folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version} (2026-01-01)\n")
    (tmp_path / "3rdparty/python").mkdir(parents=True)
    (tmp_path / "3rdparty/python/requirements.lock").write_text("one==1\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    commit(tmp_path)
    release_versions.git(tmp_path, "tag", "v1.0.0")
    return tmp_path


def commit(repository: Path) -> None:
    release_versions.git(repository, "add", "--all")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    release_versions.git(repository, *identity, "commit", "-q", "--message", "change")


def change_source(repository: Path, folder: str) -> None:
    (repository / folder / "src/module.py").write_text("ONE = 2\n")
    commit(repository)


def test_a_part_that_changed_needs_a_new_version(repository: Path) -> None:
    change_source(repository, "packages/models")
    with pytest.raises(
        ReleaseError, match=r"changed since v1\.0\.0 without a higher version: packages/models 0\.1\.0$"
    ):
        release_versions.require_new_versions(repository, list(release_versions.parts_of(repository)))


def test_parts_with_a_new_version_or_no_change_pass(repository: Path) -> None:
    changelog = repository / "packages/models/CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## 0.1.1 (2026-01-02)\n\n## 0.1.0 (2026-01-01)\n")
    change_source(repository, "packages/models")
    release_versions.require_new_versions(repository, list(release_versions.parts_of(repository)))


def test_a_new_part_passes(repository: Path) -> None:
    shutil.copytree(repository / "packages/models", repository / "packages/added")
    commit(repository)
    release_versions.require_new_versions(repository, list(release_versions.parts_of(repository)))


def test_the_first_release_passes(repository: Path) -> None:
    release_versions.git(repository, "tag", "--delete", "v1.0.0")
    change_source(repository, "packages/models")
    release_versions.require_new_versions(repository, list(release_versions.parts_of(repository)))


def test_uncommitted_changes_and_a_tag_that_exists_are_refused(repository: Path) -> None:
    with pytest.raises(ReleaseError, match=r"tag v1\.0\.0 exists; raise the version of services/standalone"):
        release_versions.require_clean(repository, "v1.0.0")
    release_versions.require_clean(repository, "v1.1.0")
    (repository / "left.txt").write_text("")
    with pytest.raises(ReleaseError, match=r"uncommitted changes(.|\n)*left\.txt"):
        release_versions.require_clean(repository, "v1.1.0")


def test_a_changelog_without_a_version_is_named() -> None:
    with pytest.raises(ReleaseError, match="packages/models/CHANGELOG.md has no heading with a version"):
        release_versions.newest("# Changelog\n\n## Unreleased\n", "packages/models")


def test_a_difference_between_two_builds_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"one")
    (tmp_path / "sbom.cdx.json").write_bytes(b"at nine")
    artifacts = {"a.whl": tmp_path / "a.whl", "services.api/sbom.cdx.json": tmp_path / "sbom.cdx.json"}
    same = {"a.whl": hashlib.sha256(b"one").hexdigest(), "services.api/sbom.cdx.json": "at ten"}
    release.compare(artifacts, same)
    with pytest.raises(ReleaseError, match=r"two builds of one commit differ in a\.whl"):
        release.compare(artifacts, {**same, "a.whl": "other"})
    with pytest.raises(ReleaseError, match=r"only one of two builds has b\.whl"):
        release.compare(artifacts, {**same, "b.whl": "more"})


def test_the_provenance_lists_files_commit_and_locks(repository: Path) -> None:
    dist = repository / "dist"
    (dist / "services.api").mkdir(parents=True)
    for name in ("sector_api-1.0.0-py3-none-any.whl", "services.api/api.pex", "services.api/sbom.cdx.json"):
        (dist / name).write_text(name)
    artifacts = {str(path.relative_to(dist)): path for path in sorted(dist.rglob("*")) if path.is_file()}
    out = dist / "release"
    release.collect(artifacts, out)
    (repository / ".gitignore").write_text("/dist/\n")
    commit(repository)
    release.describe(repository, out, "v1.0.0", release_versions.git(repository, "rev-parse", "HEAD"))
    names = {"sector_api-1.0.0-py3-none-any.whl", "sector-api.pex", "sector-api.cdx.json"}
    assert {path.name for path in out.iterdir()} == names | {"SHA256SUMS", "provenance.intoto.json"}
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=out, check=True, capture_output=True)
    statement = json.loads((out / "provenance.intoto.json").read_text())
    assert {subject["name"] for subject in statement["subject"]} == names
    commit_id = release_versions.git(repository, "rev-parse", "HEAD")
    source, lock = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source["digest"] == {"gitCommit": commit_id}
    assert lock["name"] == "3rdparty/python/requirements.lock"


def test_uncommitted_changes_have_no_provenance(repository: Path) -> None:
    out = repository / "dist/release"
    out.mkdir(parents=True)
    release.describe(repository, out, "v1.0.0", release_versions.git(repository, "rev-parse", "HEAD"))
    assert {path.name for path in out.iterdir()} == {"SHA256SUMS"}


def test_the_second_build_has_every_uncommitted_change(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clone = tmp_path_factory.mktemp("clones") / "clone"
    release_versions.git(repository, "clone", "--quiet", ".", str(clone))
    module = "packages/models/src/module.py"
    (repository / module).write_text("ONE = 3\n")
    (repository / "staged name.txt").write_text("staged")
    release_versions.git(repository, "add", "--all")
    (repository / "ünstaged.txt").write_text("not staged")
    (repository / release_versions.STANDALONE / "src/module.py").unlink()
    release.copy_changes(repository, clone)
    assert (clone / module).read_text() == "ONE = 3\n"
    assert (clone / "staged name.txt").read_text() == "staged"
    assert (clone / "ünstaged.txt").read_text() == "not staged"
    assert not (clone / release_versions.STANDALONE / "src/module.py").exists()


@pytest.mark.parametrize("tag", ["v1.0.1-rc1", "vendor", "release-2"])
def test_the_last_release_is_an_earlier_version_tag(repository: Path, tag: str) -> None:
    change_source(repository, "packages/models")
    release_versions.git(repository, "tag", tag)
    release_versions.git(repository, "tag", "v1.1.0")
    assert release_versions.last_release(repository) == "v1.0.0"


def test_versions_are_sorted_by_number(repository: Path) -> None:
    release_versions.git(repository, "tag", "v0.9.0")
    release_versions.git(repository, "tag", "v0.10.0")
    release_versions.git(repository, "tag", "--delete", "v1.0.0")
    change_source(repository, "packages/models")
    assert release_versions.last_release(repository) == "v0.10.0"


@pytest.mark.parametrize("file", ["BUILD", "README.md"])
def test_every_file_of_a_wheel_needs_a_new_version(repository: Path, file: str) -> None:
    (repository / "packages/models" / file).write_text("changed")
    commit(repository)
    with pytest.raises(ReleaseError, match=r"packages/models 0\.1\.0"):
        release_versions.require_new_versions(repository, list(release_versions.parts_of(repository)))


def test_a_shallow_clone_is_refused(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    change_source(repository, "packages/models")
    clone = tmp_path_factory.mktemp("clones") / "clone"
    release_versions.git(repository, "clone", "--quiet", "--depth=1", repository.as_uri(), str(clone))
    with pytest.raises(ReleaseError, match="this clone is shallow"):
        release_versions.last_release(clone)


def test_the_workflow_publishes_all_images_with_least_privilege() -> None:
    text = Path(".github/workflows/release.yml").read_text()
    workflow = yaml.safe_load(text)
    targets = {each["target"] for each in workflow["jobs"]["images"]["strategy"]["matrix"]["include"]}
    built = {f"{path.parent}:image" for path in Path("services").glob("*/Dockerfile")}
    assert targets == built | {"services/standalone/image:image"}
    assert workflow["permissions"] == {}
    assert all("permissions" in job and "timeout-minutes" in job for job in workflow["jobs"].values())
    assert "secrets." not in text
