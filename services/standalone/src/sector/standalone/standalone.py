"""Runs a world on one machine: starts its processes, waits until all are ready, prints their status, and stops them."""

import argparse
import asyncio
import signal
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import httpx
from pydantic import ValidationError
from redis.exceptions import RedisError

from sector.models import Snapshot
from sector.models.printable import printable
from sector.models.regular_file import FileError, read_tail
from sector.process import start_daemon_thread, wait_for_stop
from sector.process.daemon_thread import ThreadLimitError
from sector.process.log_stream import print_error, print_output
from sector.process.settings import EXIT_WRONG_SETTING
from sector.standalone.console import redact_url, status_line, welcome_text
from sector.standalone.directories import create_private_directory
from sector.standalone.ports import ListenError, used_ports
from sector.standalone.supervisor import Supervisor
from sector.standalone.topology import ProcessSpec, Topology, build_topology
from sector.standalone.valkey import valkey_socket
from sector.state.redis.client import connect

# A service that dies is reported at once. This time is for machines that are slow or busy.
_READY_WITHIN_S = 180.0
_PROGRESS_EVERY_S = 15.0
_DEATHS_AT_START = 3
_LOOK_S = 0.05
_TAIL_BYTES = 16 * 1024
_READ_LOG_S = 3.0


def print_line(text: str) -> None:
    """Print a line at once. The world continues if nothing reads the line."""
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
        topology = build_topology(options, redis, directory)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        print_error(printable(f"the secret in {directory} cannot be used: {reason}"))
        return 2
    try:
        occupied = used_ports([(spec.environment["HOST"], spec.port) for spec in topology.services])
    except ListenError as error:
        print_error(str(error))
        return EXIT_WRONG_SETTING
    if occupied:
        ports = ", ".join(f"{spec.port} ({spec.name})" for spec in topology.services if spec.port in occupied)
        print_error(f"ports in use: {ports}. Stop the processes that use them, or choose other ports with --port-base.")
        return 2
    logs = directory / "logs"
    create_private_directory(logs)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor = Supervisor(logs, print_line)
    supervisor.check_logs(topology.specs)
    try:
        await supervisor.start()
        if not await _bring_up(topology, supervisor, stop, options.redis_timeout):
            if stop.is_set():
                return 0
            return EXIT_WRONG_SETTING if supervisor.refusals else 1
        print_line(
            welcome_text(topology, str(logs), options.token_days, str(options.data.resolve()) if options.data else None)
        )
        await _print_status(topology, stop, options.status_interval)
        return 0
    finally:
        print_line("stopping …")
        await supervisor.stop(topology.redis)
        print_line("stopped.")


async def _bring_up(
    topology: Topology,
    supervisor: Supervisor,
    stop: asyncio.Event,
    redis_timeout_s: float,
    *,
    ready_within_s: float = _READY_WITHIN_S,
    progress_every_s: float = _PROGRESS_EVERY_S,
) -> bool:
    """Start Redis, then the services, and wait until all are ready; says which are not, if it takes too long."""
    if topology.redis is not None:
        print_line("starting Valkey")
        supervisor.supervise(topology.redis)
    print_line(f"waiting for Redis at {redact_url(topology.redis_url)}")
    within_s = redis_timeout_s if topology.redis is None else ready_within_s
    if not await _wait_for_redis(topology, supervisor, stop, within_s):
        if topology.redis is not None and _has_failed(supervisor, topology.redis):
            await _report_failure(supervisor, topology.redis, within_s)
        elif not stop.is_set():
            where = redact_url(topology.redis_url)
            print_error(f"no answer from Redis at {where}: check that it runs, and its password")
        return False
    print_line(f"starting {', '.join(spec.name for spec in topology.services)}")
    for spec in topology.services:
        supervisor.supervise(spec)
    pending = list(topology.services)
    started_s = reported_s = time.monotonic()
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while pending and not any(_has_failed(supervisor, spec) for spec in pending):
            if (now_s := time.monotonic()) - started_s > ready_within_s:
                break
            if now_s - reported_s > progress_every_s:
                print_line(f"  waiting for {', '.join(spec.name for spec in pending)} ({now_s - started_s:.0f} s)")
                reported_s = now_s
            ready = [spec for spec in pending if await _is_ready(client, spec)]
            for spec in ready:
                print_line(f"  {spec.name} is ready")
                pending.remove(spec)
            if pending and await wait_for_stop(stop, _LOOK_S):
                return False
    dying = [spec for spec in pending if supervisor.deaths[spec.name]]
    for spec in dying or pending:
        await _report_failure(supervisor, spec, ready_within_s)
    return not pending


async def _report_failure(supervisor: Supervisor, spec: ProcessSpec, within_s: float) -> None:
    deaths = supervisor.deaths[spec.name]
    reason = f"and died {deaths} times" if deaths else f"within {within_s:g} s"
    print_error(f"{spec.name} did not become ready {reason}. Its log ends:")
    print_error(await _tail(supervisor.log_of(spec)))


def _has_failed(supervisor: Supervisor, spec: ProcessSpec) -> bool:
    return spec.name in supervisor.refusals or supervisor.deaths[spec.name] >= _DEATHS_AT_START


async def _wait_for_redis(topology: Topology, supervisor: Supervisor, stop: asyncio.Event, within_s: float) -> bool:
    redis = connect(topology.redis_url)
    try:
        for _ in range(int(within_s / _LOOK_S)):
            try:
                await redis.ping()
            except RedisError:
                if topology.redis is not None and _has_failed(supervisor, topology.redis):
                    return False
                if await wait_for_stop(stop, _LOOK_S):
                    return False
            else:
                return True
        return False
    finally:
        await redis.aclose()


async def _is_ready(client: httpx.AsyncClient, spec: ProcessSpec) -> bool:
    try:
        return spec.ready_url is None or (await client.get(spec.ready_url)).is_success
    except httpx.HTTPError:
        return False


async def _print_status(topology: Topology, stop: asyncio.Event, every_s: float) -> None:
    async with httpx.AsyncClient(base_url=topology.api_url, timeout=5.0, trust_env=False) as client:
        while not await wait_for_stop(stop, every_s):
            try:
                snapshot = Snapshot.model_validate_json((await client.get("/snapshot")).content)
                health = (await client.get("/health")).json()
            except (httpx.HTTPError, ValidationError, ValueError) as error:
                print_line(f"no answer from the API: {type(error).__name__}")
            else:
                print_line(status_line(snapshot, health["orders_accepted"]))


async def _tail(log: Path, lines: int = 8) -> str:
    try:
        async with asyncio.timeout(_READ_LOG_S):
            content = await start_daemon_thread(partial(read_tail, log, _TAIL_BYTES), "log")
        text = content.decode(errors="replace")
    except TimeoutError:
        text = f"({log}: it cannot be read: the disk does not answer)"
    except (FileError, ThreadLimitError) as error:
        text = f"({error})"
    return "\n".join(f"    {printable(line)}" for line in text.splitlines()[-lines:])
