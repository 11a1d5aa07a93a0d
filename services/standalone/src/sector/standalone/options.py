"""The command line of standalone."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from sector.models.hosts import parse_host
from sector.models.urls import parse_http_url, parse_origin


def _between(least: float, most: float, kind: type[int] | type[float]) -> "argparse._ActionType":
    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(least - 1)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return value

    return parse


def _parsed(parse: Callable[[str], str], form: str) -> "argparse._ActionType":
    def convert(text: str) -> str:
        try:
            return parse(text)
        except ValueError as error:
            # A URL may hold a password before an @, or a token after a ?.
            shown = "it" if {"@", "?"} & set(text) else repr(text)
            raise argparse.ArgumentTypeError(f"{shown} is not of the form {form}: {error}") from error

    return convert


def _http_url(text: str) -> str:
    return str(parse_http_url(text))


def _origin(text: str) -> str:
    return text if text == "*" else parse_origin(text)


def parser() -> argparse.ArgumentParser:
    """Return the parser; its help is the manual."""
    manual = argparse.ArgumentParser(
        prog="sector-standalone",
        description="Runs a complete world on this machine: Valkey (or the Redis at REDIS_URL), worker, API, viz and two bots "
        "against two puppets. Each is a process, and is restarted if it dies. Ctrl-C stops them all.",
        epilog="example: sector-standalone --data ~/my-world --systems 200 --tick-delay 0.25",
    )
    manual.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of the world and its logs, which the next run continues (default: in memory)",
    )
    manual.add_argument(
        "--port-base",
        type=_between(1024, 64000, int),
        default=8000,
        metavar="N",
        help="API at N, viz at N+1000, health of worker and bots from N+1 (default: %(default)s)",
    )
    manual.add_argument(
        "--host",
        type=_parsed(parse_host, "127.0.0.1"),
        default=os.environ.get("SECTOR_HOST") or "127.0.0.1",
        help="address of API and viz (default: SECTOR_HOST, else 127.0.0.1)",
    )
    manual.add_argument(
        "--api-url",
        type=_parsed(_http_url, "http://192.168.1.20:8000"),
        metavar="URL",
        help="URL of the API for browsers (default: the loopback address and the API's port); the origin of the page must then be"
        " a --cors-origin",
    )
    manual.add_argument(
        "--cors-origin",
        type=_parsed(_origin, "http://localhost:5173, or * for all"),
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin whose pages may use the API, such as http://localhost:5173, repeatable; * for all",
    )
    manual.add_argument(
        "--tick-delay",
        type=_between(0.01, 3600, float),
        default=0.5,
        metavar="S",
        help="seconds from one tick to the next (default: %(default)s)",
    )
    manual.add_argument(
        "--status-interval",
        type=_between(0.1, 3600, float),
        default=5.0,
        metavar="S",
        help="seconds between two status lines (default: %(default)s)",
    )
    manual.add_argument(
        "--redis-timeout",
        type=_between(0.1, 3600, float),
        default=10.0,
        metavar="S",
        help="seconds to wait for the Redis at REDIS_URL (default: %(default)s)",
    )
    manual.add_argument(
        "--systems",
        type=_between(8, 100_000, int),
        default=60,
        metavar="N",
        help="number of systems of a new world (default: %(default)s)",
    )
    manual.add_argument(
        "--seed",
        type=_between(0, 2**63 - 1, int),
        default=11,
        metavar="N",
        help="seed of the map of a new world (default: %(default)s)",
    )
    manual.add_argument(
        "--token-days",
        type=_between(0.01, 3650, float),
        default=7.0,
        metavar="D",
        help="days until the token on the screen expires (default: %(default)g)",
    )
    manual.add_argument(
        "--new-secret",
        action="store_true",
        help="replace the secret in --data that signs tokens; all earlier tokens become invalid",
    )
    return manual
