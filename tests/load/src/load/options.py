"""The command-line options that the load test adds to those of Locust."""

from dataclasses import dataclass, fields
from typing import Self

from locust.argument_parser import LocustArgumentParser
from locust.env import Environment

SHAPES = ("steady", "ramp", "spike", "soak", "breakpoint")


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """The options of a load test: ours, and those of Locust that shapes use. Times are in seconds."""

    players: int
    spectators: int
    streamers: int
    swarms: int
    token: str
    sim: str
    viz: str
    think_min: float
    think_max: float
    batch: int
    stay: float
    shape: str
    step_time: float
    p99_ms: float
    seen_ms: float
    failures_percent: float
    outcome_ticks: int
    patience: float
    num_users: int | None
    spawn_rate: float | None
    run_time: float | None
    headless: bool

    @classmethod
    def of(cls, environment: Environment) -> Self:
        """Return the options of this run. Workers get them from their master."""
        return cls(**{each.name: getattr(environment.parsed_options, each.name) for each in fields(cls)})


def add_arguments(parser: LocustArgumentParser) -> None:
    """Add the options to the command line of Locust."""
    who = parser.add_argument_group("kinds of users, by weight (0: none)")
    for name, weight, what in (
        ("players", 10, "send one order at a time and wait for its outcome"),
        ("spectators", 6, "poll the snapshot with its ETag"),
        ("streamers", 3, "stay connected to the event stream, and with --viz to the Socket.IO server of the page"),
        ("swarms", 1, "send orders in batches"),
    ):
        who.add_argument(f"--{name}", type=int, default=weight, metavar="N", help=f"{what} (default: {weight})")
    how = parser.add_argument_group("behaviour of users")
    how.add_argument("--sim", default="", metavar="ID", help="id of the sim (default: the API's own)")
    how.add_argument(
        "--viz", default="", metavar="URL", help="URL of the viz, such as http://127.0.0.1:9000 (default: none)"
    )
    for name, default, what in (
        ("think-min", 0.5, "minimum of seconds between two tasks"),
        ("think-max", 1.5, "maximum of seconds between two tasks"),
        ("stay", 10.0, "seconds that a streamer stays connected"),
    ):
        how.add_argument(f"--{name}", type=float, default=default, metavar="S", help=f"{what} (default: {default:g})")
    how.add_argument(
        "--batch", type=int, default=100, metavar="N", help="orders per batch of a swarm, up to 1000 (default: 100)"
    )
    parser.add_argument(
        "--token",
        default="",
        is_secret=True,
        env_var="SECTOR_TOKEN",
        help="token for all factions; other users cannot read it in SECTOR_TOKEN of the environment (default: none)",
    )
    shape = parser.add_argument_group("load shape")
    shape.add_argument(
        "--shape",
        choices=SHAPES,
        default="steady",
        help="steady: --users for --run-time. ramp: linear growth to --users. spike: a tenth of --users, all of them for a fifth of the"
        " time, a tenth again. soak: growth for a tenth of the time, then steady. breakpoint: doubles the users every --step-time, up to"
        " --users, until the p99 of requests exceeds --p99-ms or a request fails, then bisects to the highest rate without failure"
        " (default: steady).",
    )
    shape.add_argument(
        "--step-time",
        type=float,
        default=15.0,
        metavar="S",
        help="seconds per step of the shape breakpoint (default: 15)",
    )
    verdict = parser.add_argument_group("objectives: the exit code is 0 if all of them are met")
    verdict.add_argument(
        "--p99-ms",
        type=float,
        default=250.0,
        metavar="MS",
        help="maximum p99 latency of requests, in milliseconds (default: 250)",
        env_var="SECTOR_LOAD_P99_MS",
    )
    verdict.add_argument(
        "--seen-ms",
        type=float,
        default=1000.0,
        metavar="MS",
        help="maximum p99 delay from the commit of a tick to its delivery, in milliseconds (default: 1000)",
        env_var="SECTOR_LOAD_SEEN_MS",
    )
    verdict.add_argument(
        "--failures-percent",
        type=float,
        default=0.0,
        metavar="P",
        help="maximum percentage of failed requests (default: 0)",
    )
    verdict.add_argument(
        "--outcome-ticks",
        type=int,
        default=3,
        metavar="N",
        help="maximum number of ticks until an order has its outcome (default: 3)",
    )
    verdict.add_argument(
        "--patience", type=float, default=30.0, metavar="S", help="maximum of seconds without a tick (default: 30)"
    )
    parser.epilog = (
        "example: ./pants run tests/load -- --host http://127.0.0.1:8000 --headless --users 100 --run-time 1m"
    )
