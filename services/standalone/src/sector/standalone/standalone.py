"""A whole world on one machine: start, wait until all are ready, tell how it goes, stop."""

import argparse
import asyncio
import signal
import time
from contextlib import nullcontext
from pathlib import Path

import httpx
from pydantic import ValidationError
from redis.exceptions import RedisError

from sector.models import Snapshot
from sector.models.printable import printable
from sector.models.regular_file import FileError, read_tail
from sector.process import wait_for_stop
from sector.process.log_stream import print_error, print_output
from sector.process.settings import EXIT_WRONG_SETTING
from sector.standalone.folders import make_private_folder
from sector.standalone.plan import Plan, Spec, make_plan
from sector.standalone.ports import ListenError, taken_ports
from sector.standalone.screen import shown, status_line, welcome
from sector.standalone.supervisor import Supervisor
from sector.standalone.valkey import valkey_socket
from sector.state.redis.client import connect

# A service that dies is reported at once. This is for machines that are slow or busy.
_READY_WITHIN_S = 180.0
_PROGRESS_EVERY_S = 15.0
_DEATHS_AT_START = 3
_LOOK_S = 0.05
_TAIL_BYTES = 16 * 1024


def say(text: str) -> None:
    """Print a line at once. The world goes on where nothing reads it."""
    print_output(text)


async def run(options: argparse.Namespace, redis_url: str | None, directory: Path) -> int:
    """Run until a signal; returns the exit code: 0 after a signal, 2 for ports taken or a wrong setting, 1 if not all
    became ready."""
    try:
        with valkey_socket(directory) if redis_url is None else nullcontext(redis_url) as redis:
            return await _run(options, redis, directory)
    except FileError as error:
        print_error(printable(f"--data {directory}: {error}. Remove or rename it, or choose another folder"))
        return EXIT_WRONG_SETTING


async def _run(options: argparse.Namespace, redis: Path | str, directory: Path) -> int:
    try:
        plan = make_plan(options, redis, directory)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        print_error(printable(f"no secret to sign tokens with, in {directory}: {reason}"))
        return 2
    try:
        taken = taken_ports([(spec.environment["HOST"], spec.port) for spec in plan.services])
    except ListenError as error:
        print_error(str(error))
        return EXIT_WRONG_SETTING
    if taken:
        ports = ", ".join(f"{spec.port} ({spec.name})" for spec in plan.services if spec.port in taken)
        print_error(f"ports taken: {ports}. End what listens there, or choose others with --port-base.")
        return 2
    logs = directory / "logs"
    make_private_folder(logs)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor = Supervisor(logs, say)
    supervisor.check_logs(plan.specs)
    try:
        await supervisor.start()
        if not await _bring_up(plan, supervisor, stop, options.redis_timeout):
            if stop.is_set():
                return 0
            return EXIT_WRONG_SETTING if supervisor.refusals else 1
        say(welcome(plan, str(logs), options.token_days, str(options.data.resolve()) if options.data else None))
        await _tell(plan, stop, options.status_interval)
        return 0
    finally:
        say("stopping …")
        await supervisor.stop(plan.redis)
        say("stopped.")


async def _bring_up(plan: Plan, supervisor: Supervisor, stop: asyncio.Event, redis_timeout_s: float) -> bool:
    """Start Redis, then the services, and wait until all are ready; says which are not, if it takes too long."""
    if plan.redis is not None:
        say("starting Valkey")
        supervisor.keep(plan.redis)
    say(f"waiting for Redis at {shown(plan.redis_url)}")
    within_s = redis_timeout_s if plan.redis is None else _READY_WITHIN_S
    if not await _wait_for_redis(plan, supervisor, stop, within_s):
        if plan.redis is not None and _gives_up(supervisor, plan.redis):
            _report_deaths(supervisor, plan.redis)
        elif not stop.is_set():
            where = shown(plan.redis_url)
            print_error(f"no answer from Redis at {where}; is it running, and the password right?")
        return False
    say(f"starting {', '.join(spec.name for spec in plan.services)}")
    for spec in plan.services:
        supervisor.keep(spec)
    waiting = list(plan.services)
    started_s = reported_s = time.monotonic()
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while waiting and not any(_gives_up(supervisor, spec) for spec in waiting):
            if (now_s := time.monotonic()) - started_s > _READY_WITHIN_S:
                break
            if now_s - reported_s > _PROGRESS_EVERY_S:
                say(f"  waiting for {', '.join(spec.name for spec in waiting)} ({now_s - started_s:.0f} s)")
                reported_s = now_s
            ready = [spec for spec in waiting if await _is_ready(client, spec)]
            for spec in ready:
                say(f"  {spec.name} is ready")
                waiting.remove(spec)
            if waiting and await wait_for_stop(stop, _LOOK_S):
                return False
    dying = [spec for spec in waiting if supervisor.deaths[spec.name]]
    for spec in dying or waiting:
        _report_deaths(supervisor, spec)
    return not waiting


def _report_deaths(supervisor: Supervisor, spec: Spec) -> None:
    print_error(f"{spec.name} did not become ready and died {supervisor.deaths[spec.name]} times. Its log ends:")
    print_error(_tail(supervisor.log_of(spec)))


def _gives_up(supervisor: Supervisor, spec: Spec) -> bool:
    return spec.name in supervisor.refusals or supervisor.deaths[spec.name] >= _DEATHS_AT_START


async def _wait_for_redis(plan: Plan, supervisor: Supervisor, stop: asyncio.Event, within_s: float) -> bool:
    redis = connect(plan.redis_url)
    try:
        for _ in range(int(within_s / _LOOK_S)):
            try:
                await redis.ping()
            except RedisError:
                if plan.redis is not None and _gives_up(supervisor, plan.redis):
                    return False
                if await wait_for_stop(stop, _LOOK_S):
                    return False
            else:
                return True
        return False
    finally:
        await redis.aclose()


async def _is_ready(client: httpx.AsyncClient, spec: Spec) -> bool:
    try:
        return spec.ready_url is None or (await client.get(spec.ready_url)).is_success
    except httpx.HTTPError:
        return False


async def _tell(plan: Plan, stop: asyncio.Event, every_s: float) -> None:
    async with httpx.AsyncClient(base_url=plan.api_url, timeout=5.0, trust_env=False) as client:
        while not await wait_for_stop(stop, every_s):
            try:
                snapshot = Snapshot.model_validate_json((await client.get("/snapshot")).content)
                health = (await client.get("/health")).json()
            except (httpx.HTTPError, ValidationError, ValueError) as error:
                say(f"no word from the API: {type(error).__name__}")
            else:
                say(status_line(snapshot, health["orders_accepted"]))


def _tail(log: Path, lines: int = 8) -> str:
    try:
        text = read_tail(log, _TAIL_BYTES).decode(errors="replace")
    except FileError as error:
        text = f"({error})"
    return "\n".join(f"    {printable(line)}" for line in text.splitlines()[-lines:])
