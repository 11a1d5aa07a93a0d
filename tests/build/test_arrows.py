"""The dependencies between the parts: the documented ones are allowed, and Pants refuses all others."""

import json
from pathlib import Path

from build.checkout import ask_daemon
from fixtures.dependency_rules import ALLOWED_DEPENDENCIES, EXTRAS, folder_of

FOLDERS = {part: folder_of(part) for part in ALLOWED_DEPENDENCIES}


def part_of(address: str) -> str | None:
    return next((name for name, folder in FOLDERS.items() if address.startswith(f"{folder}/")), None)


def test_only_the_documented_dependencies_are_allowed(repository: Path) -> None:
    """Every part imports every other. Refusals become warnings, so that Pants reports all and not only the first."""
    rules = repository / "BUILD"
    rules.write_text(rules.read_text().replace('"!*"', '"?*"'))
    for name, folder in FOLDERS.items():
        lines = [f"import sector.{other}" for other in FOLDERS if other != name]
        (repository / folder / "src/sector" / name / "arrows.py").write_text("\n".join(lines) + "\n")
    files = [f"{folder}/src/sector/{name}/arrows.py" for name, folder in FOLDERS.items()]
    peeked = ask_daemon(repository, "peek", "--include-dep-rules", *files)
    assert peeked.returncode == 0, peeked.stderr
    allowed: dict[str, set[str]] = {name: set() for name in FOLDERS}
    refused: dict[str, set[str]] = {name: set() for name in FOLDERS}
    for target in json.loads(peeked.stdout):
        origin = part_of(target["address"])
        for rule in target["_applicable_dep_rules"]:
            other = part_of(rule["dependency_address"])
            if origin is not None and other is not None and other != origin:
                (allowed if rule["action"] == "ALLOW" else refused)[origin].add(other)
    drawn = {name: arrows | EXTRAS.get(name, set()) for name, arrows in ALLOWED_DEPENDENCIES.items()}
    assert allowed == drawn
    assert refused == {name: set(FOLDERS) - {name} - arrows for name, arrows in drawn.items()}


def test_a_forbidden_dependency_fails_and_names_both_files(repository: Path) -> None:
    spoilt = repository / "services/bot/src/sector/bot/bot.py"
    spoilt.write_text(spoilt.read_text() + "\nfrom sector.state import keys  # noqa: E402, F401\n")
    refused = ask_daemon(repository, "dependencies", "services/bot/src/sector/bot/bot.py")
    assert refused.returncode == 1
    assert "DependencyRuleActionDeniedError" in refused.stderr
    assert "services/bot/src/sector/bot/bot.py" in refused.stderr
    assert "packages/state/src/sector/state/keys.py" in refused.stderr
