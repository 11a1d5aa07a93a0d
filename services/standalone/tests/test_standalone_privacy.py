"""Other users of the machine can neither read the world and its secret, nor give orders without a token."""

import os
import socket
import stat
from pathlib import Path

import jwt
import pytest
from redis.asyncio import Redis

from fixtures.tokens import SECRET
from sector.standalone.console import redact_url
from sector.standalone.options import parser
from sector.standalone.secret import SecretDamagedError, SecretGivenError, load_secret
from sector.standalone.topology import Topology, build_topology
from sector.standalone.valkey import valkey_socket
from sector.state.redis.client import connect

DAY_S = 24 * 3600


def build(directory: Path, *arguments: str) -> Topology:
    return build_topology(parser().parse_args(arguments), directory / "valkey.sock", directory)


def test_valkey_listens_at_no_port_and_its_folder_is_private(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir(0o755)
    with valkey_socket(tmp_path) as at:
        assert at == tmp_path / "valkey" / "valkey.sock"
    valkey = build(tmp_path).redis
    assert valkey is not None
    settings = dict(zip(valkey.command[1::2], valkey.command[2::2], strict=True))
    assert settings["--port"] == "0"
    assert settings["--unixsocketperm"] == "700"
    assert mode(tmp_path / "valkey") == 0o700


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["d" * 200, "ü" * 60, "a/" * 60])
def test_a_path_too_long_for_a_socket_gets_a_temporary_folder(tmp_path: Path, name: str) -> None:
    directory = tmp_path / name
    directory.mkdir(parents=True)
    with valkey_socket(directory) as at:
        assert len(os.fsencode(at)) < 100
        assert directory not in at.parents
        assert mode(at.parent) == 0o700
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(at))
    assert not at.parent.exists()


def test_a_url_names_a_socket_in_a_folder_with_any_name(tmp_path: Path) -> None:
    directory = tmp_path / "my world?#1%20"
    directory.mkdir()
    client = connect(build(directory).redis_url)
    assert isinstance(client, Redis)
    assert client.connection_pool.connection_kwargs["path"] == str(directory / "valkey.sock")


@pytest.mark.parametrize("left", ["", "\n", "  \n"])
def test_an_empty_secret_is_replaced(tmp_path: Path, left: str) -> None:
    (tmp_path / "auth-secret").write_text(left)
    secret = load_secret(tmp_path)
    assert len(secret) >= 32
    assert load_secret(tmp_path) == secret


def test_only_its_owner_can_read_the_secret(tmp_path: Path) -> None:
    secret = load_secret(tmp_path)
    path = tmp_path / "auth-secret"
    assert mode(path) == 0o600
    path.chmod(0o644)
    assert load_secret(tmp_path) == secret
    assert mode(path) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["auth-secret"]


@pytest.mark.parametrize(("arguments", "days"), [([], 7), (["--token-days=1"], 1), (["--token-days", "0.5"], 0.5)])
def test_a_token_is_valid_for_some_days(tmp_path: Path, arguments: list[str], days: float) -> None:
    topology = build(tmp_path, *arguments)
    claims = jwt.decode(topology.token, load_secret(tmp_path), algorithms=["HS256"], audience="sector")
    assert claims["exp"] - claims["iat"] == days * DAY_S


@pytest.mark.parametrize("days", ["0", "-1", "nan", "4000", "many"])
def test_the_lifetime_of_a_token_is_limited(days: str) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--token-days", days])


def test_a_new_secret_makes_every_token_invalid(tmp_path: Path) -> None:
    before, after = build(tmp_path), build(tmp_path, "--new-secret")
    assert jwt.decode(after.token, load_secret(tmp_path), algorithms=["HS256"], audience="sector")["sub"] == "Me"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(before.token, load_secret(tmp_path), algorithms=["HS256"], audience="sector")


def test_new_secret_conflicts_with_auth_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    with pytest.raises(SecretGivenError, match="cannot replace AUTH_SECRET"):
        build(tmp_path, "--new-secret")


@pytest.mark.parametrize(
    "content", [bytes(44), b"cut", b"\xff" * 44, b'"in quotes, which no version wrote in here"', b"a\nb" * 20]
)
def test_a_damaged_secret_is_reported_and_can_be_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "auth-secret"
    path.write_bytes(content)
    with pytest.raises(SecretDamagedError, match="--new-secret"):
        load_secret(tmp_path)
    assert len(load_secret(tmp_path, replace=True)) >= 32


@pytest.mark.parametrize(
    "url", ["redis://u:hunter2@h", "redis://h?password=hunter2", "redis+sentinel://h/w?sentinel_password=hunter2"]
)
def test_the_screen_shows_no_password_of_redis(url: str) -> None:
    assert "hunter2" not in redact_url(url)
