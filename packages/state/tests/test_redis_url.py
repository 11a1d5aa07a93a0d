"""REDIS_URL: it is parsed completely to canonical form, or rejected with a text that contains no part of the password."""

import asyncio

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from sector.models.urls import UrlError
from sector.state.redis.client import Cluster, connect
from sector.state.redis.connection import execute
from sector.state.redis.pool import BoundedSentinelPool
from sector.state.redis.tls import CheckedSentinelConnection, CheckedSSLConnection
from sector.state.redis.url import RedisAddress

HANDSHAKE = b"\x16"
"""The first byte of TLS (RFC 8446, 5.1)."""

READ = [
    ("redis://host", "redis://host:6379/0"),
    ("Redis://HOST:1/2", "redis://host:1/2"),
    (" redis://host/\n", "redis://host:6379/0"),
    ("redis:///1", "redis://localhost:6379/1"),
    ("redis://[::1]:1/0", "redis://[::1]:1/0"),
    ("redis://[::1]", "redis://[::1]:6379/0"),
    ("redis://::1/3", "redis://[::1]:6379/3"),
    ("redis://host?db=3", "redis://host:6379/3"),
    ("redis://u:pa%2Fss%25@host", "redis://u:pa%2Fss%25@host:6379/0"),
    ("redis://:pass@host", "redis://:pass@host:6379/0"),
    ("redis://u@host", "redis://u@host:6379/0"),
    ("redis://u:a:b@host", "redis://u:a%3Ab@host:6379/0"),
    ("rediss://host/0?ssl_cert_reqs=none&socket_timeout=1.5", "rediss://host:6379/0?ssl_cert_reqs=none&socket_timeout=1.5"),
    ("unix:///run/a,b:c?db=2", "unix:///run/a%2Cb%3Ac?db=2"),
    ("unix://u:p@/run/valkey.sock", "unix://u:p@/run/valkey.sock?db=0"),
    ("redis+sentinel://u:p@one, Two:1 ,[::1]:2,::1/world", "redis+sentinel://u:p@one:26379,two:1,[::1]:2,[::1]:26379/world/0"),
    ("redis+sentinel://one/world/4?sentinel_password=x%20y", "redis+sentinel://one:26379/world/4?sentinel_password=x%20y"),
    ("redis+cluster://one:1, two", "redis+cluster://one:1,two:6379/0"),
    ("redis+cluster://u:a,b@h:1", "redis+cluster://u:a%2Cb@h:1/0"),
    ("redis+cluster://h:1/0?ssl=true", "redis+cluster://h:1/0?ssl=true"),
    ("redis+cluster://h:1?ssl=no", "redis+cluster://h:1/0"),
]  # fmt: skip

REFUSED = [
    ("redis://h/notadb", "not a database"),
    ("redis://h/1/x", "not a database"),
    ("redis://h/l", "not a database"),
    ("redis://h/-1", "not a database"),
    ("redis://h/99999999999", "not a database"),
    ("redis://h/1?db=1", "two databases"),
    ("redis://h:99999", "a host or a port is invalid"),
    ("redis://h:0", "a host or a port is invalid"),
    ("redis://h:", "a host or a port is invalid"),
    ("redis://h,i", "one host"),
    ("redis://h i", "a host or a port is invalid"),
    ("redis://[::1", "a host or a port is invalid"),
    ("redis://h?socket_timeout=abc", "socket_timeout"),
    ("redis://h?socket_timeout=0", "socket_timeout"),
    ("redis://h?socket_timeout=nan", "socket_timeout"),
    ("redis://h?max_connections=0", "max_connections"),
    ("redis://h?protocol=9", "unknown parameter 'protocol'"),
    ("redis://h?db", "unknown parameter"),
    ("redis://h?client_name=a&client_name=b", "twice"),
    ("redis://h?ssl=true", "rediss://"),
    ("redis://h?ssl_ca_certs=/x", "rediss://"),
    ("redis://h?client_name=a%20b", "client_name"),
    ("rediss://h?ssl_ca_certs=/missing", "not a readable file"),
    ("rediss://h?ssl_certfile=/", "not a readable file"),
    ("redis+cluster://h:1/1", "only database 0"),
    ("redis+cluster://h:1/x", "not a database"),
    ("redis+cluster://h:1?ssl=maybe", "not true or false"),
    ("redis+cluster://h:1?ssl_cert_reqs=none", "needs ssl=true"),
    ("redis+cluster://", "a host or a port is invalid"),
    ("redis+cluster://:1,b", "a host or a port is invalid"),
    ("redis+cluster://a,,b", "a host or a port is invalid"),
    ("redis+sentinel://h", "ends with the name of the service"),
    ("redis+sentinel://h/world/0/1", "not a database"),
    ("redis+sentinel://h/world?foo=1", "unknown parameter 'foo'"),
    ("unix://run/valkey.sock", "an absolute path"),
    ("unix://", "an absolute path"),
    ("http://h", "starts with one of redis://"),
    ("h:6379", "starts with one of redis://"),
    ("redis:h", "starts with one of redis://"),
    ('"redis://h"', "in quotes"),
    ("redis://h\n/0", "a line break"),
    ("redis://u:hunter2#x@h", "write in a password"),
    ("redis://u:hunter2/x@h:1/0", "write in a password"),
    ("redis://u:hunter2?x@h", "write in a password"),
    ("redis://u:1/hunter2@h", "write in a password"),
    ("redis://u:1?hunter=2@h", "write in a password"),
    ("redis://u:[hunter2@h", "write in a password"),
    ("redis://u:hunter2%zz@h", "%25"),
    ("redis+cluster://u:hunter2#@h:1", "write in a password"),
    ("redis+sentinel://u:hunter2/@h:1/world", "write in a password"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "canonical"), READ)
def test_a_url_is_parsed_to_its_canonical_form(url: str, canonical: str) -> None:
    address = RedisAddress.parse(url)
    assert address.text == canonical
    assert RedisAddress.parse(address.text) == address


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:hunter2@h",
        "redis://h?password=hunter2",
        "redis+cluster://:hunter2@h",
        "redis+sentinel://u:p@h/world?sentinel_password=hunter2",
    ],
)
def test_the_text_of_an_address_hides_its_passwords(url: str) -> None:
    address = RedisAddress.parse(url)
    assert "hunter2" in address.text
    assert "hunter2" not in f"{address} {address!r}"


@pytest.mark.parametrize(("url", "message"), REFUSED)
def test_an_invalid_url_is_rejected_without_a_quote(url: str, message: str) -> None:
    with pytest.raises(UrlError) as refused:
        RedisAddress.parse(url)
    assert message in str(refused.value)
    assert "hunter" not in str(refused.value)
    with pytest.raises(ValueError, match="."):
        connect(url)


@pytest.mark.parametrize(
    "url",
    [
        "rediss://127.0.0.1:{port}/0",
        "redis+cluster://127.0.0.1:{port}?ssl=true",
        "redis+sentinel://127.0.0.1:{port}/world/0?ssl=true",
    ],
)
async def test_tls_connections_send_nothing_unencrypted(url: str) -> None:
    first: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.put_nowait(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    client = connect(url.format(port=server.sockets[0].getsockname()[1]), timeout_s=2)
    with pytest.raises((RedisError, OSError)):
        await execute(client, "GET", "sim:{default}:head")
    assert await first.get() == HANDSHAKE
    await client.aclose()
    server.close()


async def test_the_database_and_the_options_of_the_url_are_used(redis_url: str, redis: Redis) -> None:
    address = RedisAddress.parse(redis_url)
    await redis.set("here", "1")
    client = connect(f"{redis_url}?client_name=a%2Db&socket_timeout=2")
    assert isinstance(client, Redis)
    assert await client.get("here") == b"1"
    kwargs = client.connection_pool.connection_kwargs
    assert (kwargs["db"], kwargs["client_name"], kwargs["socket_timeout"]) == (address.db, "a-b", 2.0)
    await client.aclose()


def test_connections_with_tls_check_their_certificate_files_first() -> None:
    one, sentinel, cluster = (
        connect(url) for url in ("rediss://h", "redis+sentinel://h/world?ssl=true", "redis+cluster://h:1?ssl=true")
    )
    assert isinstance(one, Redis)
    assert isinstance(sentinel, Redis)
    assert isinstance(cluster, Cluster)
    assert one.connection_pool.connection_class is CheckedSSLConnection
    assert sentinel.connection_pool.connection_class is CheckedSentinelConnection
    assert isinstance(sentinel.connection_pool, BoundedSentinelPool)
    (each,) = sentinel.connection_pool.sentinel_manager.sentinels
    assert each.connection_pool.connection_class is CheckedSSLConnection
    assert [node.connection_class for node in cluster.nodes_manager.startup_nodes.values()] == [CheckedSSLConnection]
