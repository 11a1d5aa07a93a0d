"""`./pants run tests/mutation`: mutates the core of state and world, and reports the mutants that no test notices."""

import argparse
import os
import random
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from mutation.mutants import Mutant, mutants_of
from mutation.runner import MutationRun, TestsFailed, Verdict, run_tests
from mutation.targets import TARGETS, Target

_SURVIVORS = Path("tests") / "mutation" / "survivors.toml"
_KILLED = (Verdict.KILLED, Verdict.TIMEOUT)
_EXAMPLES = """examples:
  ./pants run tests/mutation                                    all modules
  ./pants run tests/mutation -- --module sector.state.tick.lease     one module, in about a minute
  ./pants run tests/mutation -- --sample 200 --seed 7           200 mutants, chosen at random

exit status: 0 if at least MIN percent of the mutants are killed and all survivors are listed in tests/mutation/survivors.toml,
1 if not, 2 if a test fails without a mutant."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run mutants; returns the exit status: 0 if the goal is met, 1 if not, 2 if a test fails without a mutant."""
    modules = [module for target in TARGETS for module in target.modules]
    parser = argparse.ArgumentParser(
        prog="./pants run tests/mutation --",
        description="Changes the code of the tick transaction and of the rules, one small change at a time, and runs the tests that execute"
        " the changed lines. A mutant is killed if a test fails or takes much longer than usual.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--module",
        action="append",
        choices=modules,
        metavar="NAME",
        help="mutate only this module, repeatable (default: all)",
    )
    parser.add_argument("--list", action="store_true", help="print the names of the modules and exit")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="at most N random mutants of each group of modules (default: all)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the sample (default: %(default)s)")
    parser.add_argument(
        "--min",
        type=float,
        default=90.0,
        metavar="PERCENT",
        help="minimum of killed mutants, in percent (default: %(default)g)",
    )
    parser.add_argument(
        "--only",
        type=Path,
        metavar="FILE",
        help="only the mutants in a file of --save, to try new tests (default: all)",
    )
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="append the survivors to FILE, in the format of survivors.toml (default: none)",
    )
    given = parser.parse_args(arguments)
    if given.list:
        print("\n".join(modules))
        return 0
    root = Path.cwd()
    if not (root / "pants.toml").is_file():
        parser.error(f"{root} is not the root of the repository: start it with ./pants run tests/mutation")
    _import_from(root)
    report = Report(_reasons(root / _SURVIVORS))
    only = _reasons(given.only) if given.only else None
    for target in TARGETS:
        if modules := [module for module in target.modules if not given.module or module in given.module]:
            mutants = [m for module in modules for m in mutants_of(module, target.source(root, module).read_text())]
            if only is not None:
                mutants = [mutant for mutant in mutants if key_of(mutant) in only]
            if given.sample and given.sample < len(mutants):
                picked = random.Random(given.seed).sample(range(len(mutants)), given.sample)  # noqa: S311
                mutants = [mutants[place] for place in sorted(picked)]
            try:
                _run(root, target, modules, mutants, report)
            except TestsFailed as error:
                print(f"mutation: a test fails without a mutant:\n{error}", file=sys.stderr)
                return 2
    print(report.text())
    if given.save:
        with given.save.open("a") as file:
            file.write(report.new_survivors_toml())
    return 0 if report.percent >= given.min and not report.new_survivors else 1


def _import_from(root: Path) -> None:
    """Import the sources and tests of the checkout, not copies of them."""
    folders = [*root.glob("packages/*/src"), *root.glob("packages/*/tests"), root / "tests"]
    sys.path[:0] = [str(folder) for folder in folders]


def _run(root: Path, target: Target, modules: Sequence[str], mutants: Sequence[Mutant], report: "Report") -> None:
    sources = {module: target.source(root, module) for module in modules}
    # pytest captures what is written to the standard streams.
    with os.fdopen(os.dup(1), "w", buffering=1) as out:
        print(f"{target.name}: {len(mutants)} mutants; first the tests without a mutant", file=out)
        began_s, total = time.monotonic(), len(mutants)
        done = 0

        def on_verdict(mutant: Mutant, verdict: Verdict) -> None:
            nonlocal done
            done += 1
            report.add(mutant, verdict)
            if verdict not in _KILLED:
                print(f"  {verdict}: {mutant.module} {mutant.function}: {mutant.change}", file=out)
            if done % 50 == 0 or done == total:
                print(f"  {done} of {total} mutants, {time.monotonic() - began_s:.0f} s", file=out)

        run_tests(root, target.tests(root), MutationRun(mutants, sources, target.skipped_tests, on_verdict))


type Key = tuple[str, str, str]


def key_of(mutant: Mutant) -> Key:
    """Return an identifier of a mutant that is stable while its function does not change."""
    return mutant.module, mutant.function, mutant.change


def _reasons(path: Path) -> dict[Key, str]:
    """Return the reasons of the survivors in a file."""
    groups = tomllib.loads(path.read_text()).get("group", [])
    return {
        (group["module"], group["function"], change): group["reason"] for group in groups for change in group["changes"]
    }


class Report:
    """The verdicts, as a table."""

    def __init__(self, listed: dict[Key, str]) -> None:
        self._reasons = listed
        self._verdicts: dict[str, list[Verdict]] = {}
        self._survivors: list[Mutant] = []

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        """Add the verdict of one mutant."""
        self._verdicts.setdefault(mutant.module, []).append(verdict)
        if verdict not in _KILLED:
            self._survivors.append(mutant)

    @property
    def percent(self) -> float:
        """The percentage of killed mutants."""
        verdicts = [verdict for each in self._verdicts.values() for verdict in each]
        return _percent(verdicts)

    @property
    def new_survivors(self) -> list[Mutant]:
        """The survivors that are not in the list."""
        return [each for each in self._survivors if key_of(each) not in self._reasons]

    def text(self) -> str:
        """Return the table, and all survivors with their reasons."""
        total = [verdict for each in self._verdicts.values() for verdict in each]
        rows = [*self._verdicts.items(), ("all", total)]
        lines = [
            "",
            "| module | mutants | killed | by timeout | survived | killed, percent |",
            "|---|---|---|---|---|---|",
        ]
        for name, verdicts in rows:
            killed = sum(verdict in _KILLED for verdict in verdicts)
            timeouts = verdicts.count(Verdict.TIMEOUT)
            lines.append(
                f"| {name} | {len(verdicts)} | {killed} | {timeouts} | {len(verdicts) - killed} | {_percent(verdicts):.1f} |"
            )
        lines += ["", f"{len(self._survivors)} survivors, {len(self.new_survivors)} of them not in {_SURVIVORS}:"]
        for mutant in self._survivors:
            reason = self._reasons.get(key_of(mutant), "NOT LISTED")
            lines.append(f"{mutant.module} {mutant.function}: {mutant.change}\n    {reason}")
        return "\n".join(lines)

    def new_survivors_toml(self) -> str:
        """Return the survivors that are not in the list, in its format."""
        grouped: dict[tuple[str, str], list[str]] = {}
        for mutant in self.new_survivors:
            grouped.setdefault((mutant.module, mutant.function), []).append(mutant.change)
        return "".join(
            f'\n[[group]]\nmodule = "{module}"\nfunction = "{function}"\nreason = ""\nchanges = [\n'
            + "".join(f"  '''{change}''',\n" for change in changes)
            + "]\n"
            for (module, function), changes in grouped.items()
        )


def _percent(verdicts: Sequence[Verdict]) -> float:
    return 100 * sum(verdict in _KILLED for verdict in verdicts) / max(len(verdicts), 1)


if __name__ == "__main__":
    sys.exit(main())
