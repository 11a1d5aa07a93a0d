"""The options of the command line, besides Locust's own."""

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
    who = parser.add_argument_group("who comes, by weight (0: nobody)")
    for name, weight, what in (
        ("players", 10, "give one order at a time and follow it to its outcome"),
        ("spectators", 6, "ask for the snapshot, with its ETag"),
        ("streamers", 3, "stay on the event stream, and on the page's Socket.IO where --viz names it"),
        ("swarms", 1, "give orders by the hundred"),
    ):
        who.add_argument(f"--{name}", type=int, default=weight, metavar="N", help=f"{what} (default: {weight})")
    how = parser.add_argument_group("what they do")
    how.add_argument("--sim", default="", metavar="ID", help="the sim (default: the API's own)")
    how.add_argument("--viz", default="", metavar="URL", help="where the viz is, such as http://127.0.0.1:9000")
    how.add_argument("--think-min", type=float, default=0.5, metavar="S", help="seconds between two tasks, at least")
    how.add_argument("--think-max", type=float, default=1.5, metavar="S", help="and at most")
    how.add_argument("--batch", type=int, default=100, metavar="N", help="orders of a swarm at once, up to 1000")
    how.add_argument("--stay", type=float, default=10.0, metavar="S", help="seconds that a streamer stays")
    parser.add_argument(
        "--token",
        default="",
        is_secret=True,
        env_var="SECTOR_TOKEN",
        help="a token for all factions; better in SECTOR_TOKEN of the environment",
    )
    shape = parser.add_argument_group("how many come when")
    shape.add_argument(
        "--shape",
        choices=SHAPES,
        default="steady",
        help="steady: --users for --run-time. ramp: evenly up to them. spike: a tenth, all of them for a fifth of the time, a tenth."
        " soak: up in a tenth of the time, then steady. breakpoint: doubled every --step-time, up to --users, until the p99 of requests is"
        " above --p99-ms or one fails; then halving the distance, to the highest rate that holds.",
    )
    shape.add_argument("--step-time", type=float, default=15.0, metavar="S", help="seconds of a step of breakpoint")
    verdict = parser.add_argument_group("objectives: the exit code is 0 if all are met")
    verdict.add_argument(
        "--p99-ms",
        type=float,
        default=250.0,
        metavar="MS",
        help="p99 of requests, at most",
        env_var="SECTOR_LOAD_P99_MS",
    )
    verdict.add_argument(
        "--seen-ms",
        type=float,
        default=1000.0,
        metavar="MS",
        help="p99 from commit to seen, at most",
        env_var="SECTOR_LOAD_SEEN_MS",
    )
    verdict.add_argument("--failures-percent", type=float, default=0.0, metavar="P", help="requests that fail, at most")
    verdict.add_argument(
        "--outcome-ticks", type=int, default=3, metavar="N", help="ticks after which an order has its outcome, at most"
    )
    verdict.add_argument(
        "--patience", type=float, default=30.0, metavar="S", help="seconds that the world may stand still"
    )
