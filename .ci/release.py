"""Makes a release: builds wheels, PEXes, the npm package and bills of materials twice, checks them, and tags the commit.

Runs outside Pants, with the standard library alone, because it runs Pants itself.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from release_versions import STANDALONE, ReleaseError, git, parts_of, require_clean, require_new_versions

PACKAGE = ("package", "--filter-target-type=python_distribution,pex_binary", "packages::", "services::")
LOCK = Path("3rdparty/python/release.lock")
BILLS = ("run", "docker:sbom", "--")
NPM_PACKAGE = "packages/typescript-client"


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the release; returns the exit code: 1 if a check fails."""
    parser = argparse.ArgumentParser(
        prog=".ci/release",
        description="Builds all wheels, PEXes, the npm package and bills of materials, builds them again in a clean clone, compares every"
        " byte, checks the wheels with twine, writes SHA256SUMS and an in-toto provenance statement, and tags the commit."
        " The result is in dist/release.",
        epilog="examples: `.ci/release --check` before a change lands; `.ci/release && git push origin --tags` publishes.",
    )
    parser.add_argument("--check", action="store_true", help="do not tag, and allow uncommitted changes")
    parser.add_argument("--no-rebuild", action="store_true", help="with --check: do not build a second time")
    given = parser.parse_args(arguments)
    if given.no_rebuild and not given.check:
        parser.error("--no-rebuild needs --check: a release is always built twice")
    try:
        release(Path.cwd(), check=given.check, rebuild=not given.no_rebuild)
    except (ReleaseError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"release: {error}\n{error.stderr or ''}".rstrip(), file=sys.stderr)
        return 1
    return 0


def release(repository: Path, *, check: bool, rebuild: bool) -> None:
    """Make the release in dist/release, and tag it unless `check`. Raises ReleaseError."""
    parts = list(parts_of(repository))
    version = next(part.version for part in parts if part.folder == STANDALONE)
    tag = f"v{version}"
    commit = git(repository, "rev-parse", "HEAD")
    if not check:
        require_clean(repository, tag)
        # This fails before the two builds, instead of after them, if git has no identity for the tag.
        git(repository, "var", "GIT_COMMITTER_IDENT")
    require_new_versions(repository, parts)
    say(f"building {tag}: {len(parts)} distributions")
    artifacts = build(repository)
    if rebuild:
        say("building it again in a clean clone")
        compare(artifacts, build_again(repository))
    say("checking the wheels")
    check_wheels(artifacts)
    out = repository / "dist/release"
    collect(artifacts, out)
    describe(repository, out, tag, commit)
    say(f"dist/release contains {len(list(out.iterdir()))} files")
    if not check:
        require_clean(repository, tag)
        names = "\n".join(f"{part.folder.split('/')[1]} {part.version}" for part in parts)
        git(repository, "tag", "--annotate", tag, commit, "--message", f"Sector {version}\n\n{names}")
        say(f"tagged {tag}; `git push origin {tag}` publishes it")


def say(text: str) -> None:
    """Print a line of progress at once."""
    print(f"release: {text}", flush=True)


def build(repository: Path, **environment: str) -> dict[str, Path]:
    """Return every wheel, PEX, npm package and bill of materials by its path below dist/. Raises ReleaseError, CalledProcessError."""
    dist = repository / "dist"
    for path in [*dist.glob("*.whl"), *dist.glob("*.tgz")]:
        path.unlink()
    for path in dist.glob("services.*"):
        shutil.rmtree(path)
    for command in (PACKAGE, (*BILLS, str(dist))):
        subprocess.run(["./pants", *command], cwd=repository, env={**os.environ, **environment}, check=True)
    pack_client(repository / NPM_PACKAGE, dist)
    paths = [
        *dist.glob("*.whl"),
        *dist.glob("*.tgz"),
        *dist.glob("services.*/*.pex"),
        *dist.glob("services.*/sbom.cdx.json"),
    ]
    return {str(path.relative_to(dist)): path for path in sorted(paths)}


def pack_client(folder: Path, dist: Path) -> None:
    """Have npm build the package in `folder`, with what its lock names, in `dist`. Raises ReleaseError, CalledProcessError."""
    npm = shutil.which("npm")
    if npm is None:
        raise ReleaseError(
            f"{NPM_PACKAGE} is packed with npm, which is missing: install Node.js 20.12 or newer, with npm"
        )
    for command in (("ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("pack", "--pack-destination", str(dist))):
        subprocess.run([npm, *command, "--loglevel=error"], cwd=folder, check=True)


def build_again(repository: Path) -> dict[str, str]:
    """Return the digests of the artifacts of a clean clone, which Pants builds without anything that it remembers."""
    with tempfile.TemporaryDirectory(prefix="sector-release-") as directory:
        clone = Path(directory) / "clone"
        git(repository, "clone", "--quiet", ".", str(clone))
        copy_changes(repository, clone)
        environment = {
            "PANTS_LOCAL_STORE_DIR": f"{directory}/store",
            "PANTS_NAMED_CACHES_DIR": f"{directory}/named",
            "PANTS_PANTSD": "false",
        }
        return {name: digest(path) for name, path in build(clone, **environment).items()}


def copy_changes(repository: Path, clone: Path) -> None:
    """Make the uncommitted changes in the clone as well."""
    changed = git(repository, "diff", "--name-only", "-z", "HEAD").split("\0")
    added = git(repository, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    for name in filter(None, [*changed, *added]):
        source, copy = repository / name, clone / name
        if source.is_symlink() or source.is_file():
            copy.unlink(missing_ok=True)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy, follow_symlinks=False)
        elif source.is_dir():
            raise ReleaseError(f"{name} is a repository of its own; remove it")
        else:
            copy.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare(artifacts: dict[str, Path], again: dict[str, str]) -> None:
    """Raise ReleaseError unless both builds have the same files with the same bytes. Bills of materials carry a time and a number."""
    if missing := set(artifacts) ^ set(again):
        raise ReleaseError(f"only one of two builds has {', '.join(sorted(missing))}")
    compared = [name for name in artifacts if not name.endswith(".cdx.json")]
    if differing := [name for name in compared if digest(artifacts[name]) != again[name]]:
        raise ReleaseError(f"two builds of one commit differ in {', '.join(differing)}")
    say(f"{len(compared)} files are identical in both builds")


def check_wheels(artifacts: dict[str, Path]) -> None:
    """Run twine's strict check. Raises CalledProcessError."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    tools = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"sector-release-{lock}"
    twine = [str(tools / "bin/python"), "-m", "twine"]
    if not tools.exists() or subprocess.run([*twine, "--version"], capture_output=True, check=False).returncode:
        venv.create(tools, with_pip=True, clear=True)
        pip = [str(tools / "bin/python"), "-m", "pip", "--isolated", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
    wheels = [str(path) for name, path in artifacts.items() if name.endswith(".whl")]
    subprocess.run([*twine, "check", "--strict", *wheels], check=True)


def collect(artifacts: dict[str, Path], out: Path) -> None:
    """Copy the artifacts into one empty folder: wheels and npm package by their names, the rest as `sector-<service>.…`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for name, path in artifacts.items():
        folder, _, file = name.rpartition("/")
        service = folder.removeprefix("services.")
        if not folder:
            shutil.copy2(path, out / file)
        elif file == "sbom.cdx.json":
            shutil.copy2(path, out / f"sector-{service}.cdx.json")
        elif file == f"{service}.pex":
            shutil.copy2(path, out / f"sector-{service}.pex")


def describe(repository: Path, out: Path, tag: str, commit: str) -> None:
    """Write SHA256SUMS and provenance.intoto.json: an in-toto statement, version 1, with SLSA provenance, version 1.

    Uncommitted changes have no provenance, so with them there is no statement.
    """
    digests = {path.name: digest(path) for path in sorted(out.iterdir())}
    (out / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in digests.items()))
    if git(repository, "status", "--porcelain"):
        say("there are uncommitted changes, so there is no provenance.intoto.json")
        return
    locks = sorted((repository / "3rdparty/python").glob("*.lock"))
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    source = os.environ.get("GITHUB_REPOSITORY")
    workflow = os.environ.get("GITHUB_WORKFLOW_REF")
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": value}} for name, value in digests.items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://www.pantsbuild.org/package",
                "externalParameters": {"commands": [["./pants", *PACKAGE], ["./pants", *BILLS, "dist"]], "tag": tag},
                "internalParameters": {"python": sys.version.split()[0]},
                "resolvedDependencies": [
                    {
                        **({"uri": f"git+{server}/{source}@refs/tags/{tag}"} if source else {"name": "source"}),
                        "digest": {"gitCommit": commit},
                    },
                    *(
                        {"name": str(lock.relative_to(repository)), "digest": {"sha256": digest(lock)}}
                        for lock in locks
                    ),
                ],
            },
            "runDetails": {
                "builder": {"id": f"{server}/{workflow}" if workflow else "urn:sector:local-build"},
                "metadata": {"finishedOn": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        },
    }
    (out / "provenance.intoto.json").write_text(json.dumps(statement, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
