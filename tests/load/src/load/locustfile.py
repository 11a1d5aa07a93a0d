"""The locustfile: user kinds, the load shape, and the report of the objectives at the end."""

import logging
import sys
import time

from locust import LoadTestShape, events
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import WorkerRunner

from load.breakpoint_search import Search, Step
from load.objectives import format_objectives, merged, objectives
from load.options import LoadOptions, add_arguments
from load.players import Player, Swarm
from load.shapes import SHAPES, TIMED
from load.user import REQUEST
from load.watchers import Spectator, Streamer

__all__ = ["Load", "Player", "Spectator", "Streamer", "Swarm"]

_MEASURED = 2 / 3
"""The measured share of a step. New users spawn before it."""
_KINDS = {Player: "players", Spectator: "spectators", Streamer: "streamers", Swarm: "swarms"}


def add_options(parser: LocustArgumentParser) -> None:
    """Add our options to Locust's."""
    add_arguments(parser)


def weigh(environment: Environment, **_: object) -> None:
    """Set the weights of the user kinds and validate the options."""
    # A log line per request would be additional load.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    options = LoadOptions.of(environment)
    for kind, name in _KINDS.items():
        kind.weight = getattr(options, name)
    environment.user_classes = [kind for kind in environment.user_classes if kind.weight]
    if not environment.user_classes:
        sys.exit("no users: set at least one of --players, --spectators, --streamers and --swarms above 0")
    if not 0 <= options.think_min <= options.think_max:
        sys.exit(f"--think-min {options.think_min:g} must be from 0 to --think-max {options.think_max:g}")
    if not 1 <= options.batch <= 1000:
        sys.exit(f"--batch {options.batch} must be from 1 to 1000")
    if options.headless and options.shape in TIMED and not options.run_time:
        sys.exit(f"--shape {options.shape} needs the duration of the run: add --run-time 5m")
    if isinstance(environment.shape_class, Load):
        environment.shape_class.environment = environment


class Load(LoadTestShape):
    """The shape that --shape names."""

    use_common_options = True
    environment: Environment
    search: Search | None = None
    _until_s = 0.0
    _users = 0
    _settled = False
    _before: dict[int, int]
    _failed = 0

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users and the spawn rate; None at the end."""
        options = LoadOptions.of(self.environment)
        most, at_s, run_s = options.num_users or 1, time.perf_counter() - self.start_time, options.run_time or 0
        if options.shape == "breakpoint":
            return self._step(options.p99_ms, most, options.step_time)
        if run_s and at_s > run_s:
            return None
        return SHAPES[options.shape](at_s, run_s or float("inf"), most), options.spawn_rate or most

    def _step(self, max_ms: float, most: int, step_s: float) -> tuple[int, float] | None:
        if self.search is None:
            self.search = Search(max_ms, most)
        elif (now_s := time.monotonic()) < self._until_s:
            if not self._settled and now_s > self._until_s - step_s * _MEASURED:
                self._settled, (self._before, self._failed) = True, self._so_far()
            return self._users, self._users
        else:
            self.search.steps.append(step := self._measured(step_s * _MEASURED))
            print(
                f"{step.users} users: {step.a_second:.0f} requests/s, p99 {step.p99_ms:.0f} ms, {step.failed} failed",
                flush=True,
            )
        users = self.search.next()
        if users is None:
            return None
        self._users, self._until_s, self._settled = users, time.monotonic() + step_s, False
        return users, users

    def _so_far(self) -> tuple[dict[int, int], int]:
        totals = merged(self.environment.stats, REQUEST)
        return dict(totals.response_times), totals.num_failures

    def _measured(self, step_s: float) -> Step:
        after, failed = self._so_far()
        came = {took_ms: count - self._before.get(took_ms, 0) for took_ms, count in sorted(after.items())}
        count, left = sum(came.values()), 0
        p99_ms = 0.0
        for took_ms, here in came.items():
            left += here
            if left >= 0.99 * count:
                p99_ms = took_ms
                break
        return Step(self._users, count / step_s, p99_ms, failed - self._failed)


def judge(environment: Environment, **_: object) -> None:
    """Print the objectives and set the exit code."""
    if isinstance(environment.runner, WorkerRunner):
        return
    options = LoadOptions.of(environment)
    shape = environment.shape_class
    if isinstance(shape, Load) and shape.search is not None:
        best = shape.search.best
        rate = f"{best.a_second:.0f} requests/s, of {best.users} users" if best else "none held"
        print(f"\nThe highest rate with a p99 of at most {options.p99_ms:g} ms and no failure: {rate}")
        environment.process_exit_code = 0 if best else 1
        return
    outcomes = list(
        objectives(
            environment.stats,
            p99_ms=options.p99_ms,
            seen_ms=options.seen_ms,
            failures_percent=options.failures_percent,
            outcome_ticks=options.outcome_ticks,
            crashed=len(environment.runner.exceptions) if environment.runner else 0,
        )
    )
    print(format_objectives(outcomes), flush=True)
    environment.process_exit_code = 0 if all(each.met for each in outcomes) else 1


events.init_command_line_parser.add_listener(add_options)
events.init.add_listener(weigh)
events.quitting.add_listener(judge)
