"""The versions of a release: those of its parts, and whether each part that changed has a new one."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# The release has the version of the distribution that requires all others.
STANDALONE = "services/standalone"
_VERSION = re.compile(r"^## (\d+\.\d+\.\d+)(?=\s)", re.MULTILINE)
_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)")
_SOURCES = ("src", "BUILD", "README.md", "package.json")


class ReleaseError(Exception):
    """A release that cannot be made. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """A distribution: its folder below the repository, and the version at the head of its changelog."""

    folder: str
    version: str


def git(repository: Path, *arguments: str) -> str:
    """Return what git prints. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    ).stdout.strip()


def parts_of(repository: Path) -> Iterator[Part]:
    """Yield every distribution, with the newest version of its changelog."""
    for changelog in sorted(repository.glob("packages/*/CHANGELOG.md")) + sorted(
        repository.glob("services/*/CHANGELOG.md")
    ):
        folder = str(changelog.parent.relative_to(repository))
        yield Part(folder, newest(changelog.read_text(), folder))


def newest(changelog: str, folder: str) -> str:
    """Return the first version that a changelog names. Raises ReleaseError."""
    version = _VERSION.search(changelog)
    if version is None:
        raise ReleaseError(f"{folder}/CHANGELOG.md has no heading with a version, such as `## 1.2.3 (2026-11-29)`")
    return version[1]


def require_clean(repository: Path, tag: str) -> None:
    """Raise ReleaseError if there are uncommitted changes, or if the tag exists."""
    if changes := git(repository, "status", "--porcelain"):
        raise ReleaseError(f"uncommitted changes; commit or remove them:\n{changes}")
    if git(repository, "tag", "--list", tag):
        raise ReleaseError(f"tag {tag} exists; raise the version of {STANDALONE} in its BUILD file and CHANGELOG.md")


def last_release(repository: Path) -> str | None:
    """Return the tag of the newest release before this commit, or None. Raises ReleaseError in a shallow clone."""
    if git(repository, "rev-parse", "--is-shallow-repository") == "true":
        raise ReleaseError("this clone is shallow, so the last release is unknown; run `git fetch --unshallow --tags`")
    here = git(repository, "tag", "--points-at", "HEAD").splitlines()
    before = [tag for tag in git(repository, "tag", "--merged", "HEAD").splitlines() if tag not in here]
    releases = [tag for tag in before if _TAG.fullmatch(tag)]
    return max(releases, key=numbers, default=None)


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version or a tag, which are in the order of releases."""
    return tuple(int(number) for number in version.removeprefix("v").split("."))


def require_new_versions(repository: Path, parts: Sequence[Part]) -> None:
    """Raise ReleaseError if what a part is built from changed since the last release, and its version did not increase."""
    tag = last_release(repository)
    if tag is None:
        return
    stale = []
    for part in parts:
        paths = [f"{part.folder}/{name}" for name in _SOURCES]
        changelog = f"{part.folder}/CHANGELOG.md"
        is_new = not git(repository, "ls-tree", "--name-only", tag, "--", changelog)
        if is_new or not git(repository, "diff", "--name-only", tag, "--", *paths, "LICENSE"):
            continue
        before = newest(git(repository, "show", f"{tag}:{changelog}"), part.folder)
        if numbers(part.version) <= numbers(before):
            stale.append(f"{part.folder} {part.version}")
    if stale:
        raise ReleaseError(f"changed since {tag} without a higher version: {', '.join(stale)}")
