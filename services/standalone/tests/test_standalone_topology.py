"""The settings of each process of a world."""

import socket
from pathlib import Path

import pytest

from fixtures.tokens import SECRET
from sector.standalone.console import welcome_text
from sector.standalone.options import parser
from sector.standalone.ports import ListenError, used_ports
from sector.standalone.topology import build_topology


def settings(tmp_path: Path, service: str, *arguments: str) -> dict[str, str]:
    """Return the settings of a service in the topology for these arguments."""
    topology = build_topology(parser().parse_args(arguments), tmp_path / "valkey.sock", tmp_path)
    (spec,) = (each for each in topology.services if each.name == service)
    return dict(spec.environment)


@pytest.mark.parametrize(
    ("arguments", "origins"),
    [
        ([], "http://127.0.0.1:9000,http://localhost:9000"),
        (["--cors-origin=*"], "*"),
        (["--cors-origin=*", "--cors-origin=https://game.example"], "*"),
        (
            ["--port-base=7000", "--cors-origin=https://a.example"],
            "http://127.0.0.1:8000,http://localhost:8000,https://a.example",
        ),
    ],
)
def test_the_api_allows_the_page_and_configured_origins(tmp_path: Path, arguments: list[str], origins: str) -> None:
    assert settings(tmp_path, "api", *arguments)["CORS_ORIGINS"] == origins


@pytest.mark.parametrize("given", ["http://192.0.2.1:8800", "https://world.example/api"])
def test_the_page_has_the_address_of_the_api_for_browsers(tmp_path: Path, given: str) -> None:
    assert settings(tmp_path, "viz")["API_URL"] == "http://127.0.0.1:8000"
    assert settings(tmp_path, "viz", f"--api-url={given}")["API_URL"] == given


def test_auth_secret_is_used_and_no_secret_is_created(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    assert settings(tmp_path, "api")["AUTH_SECRET"] == SECRET
    assert not (tmp_path / "auth-secret").exists()
    assert settings(tmp_path, "bot-Aurora")["API_TOKEN"] != settings(tmp_path, "bot-Borealis")["API_TOKEN"]


def test_the_screen_shows_the_bot_command_in_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topology = build_topology(parser().parse_args(["--port-base=7000"]), tmp_path / "valkey.sock", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "bot.py" not in welcome_text(topology, "logs", 7, None)
    (tmp_path / "examples/bots").mkdir(parents=True)
    (tmp_path / "examples/bots/first_bot.py").touch()
    command = "python3 examples/bots/first_bot.py --api http://127.0.0.1:7000 --token $TOKEN"
    assert command in welcome_text(topology, "logs", 7, None)


def test_a_service_has_one_port_in_any_environment(tmp_path: Path) -> None:
    assert settings(tmp_path, "api")["OPERATOR_PORT"] == settings(tmp_path, "viz")["OPERATOR_PORT"] == "0"


@pytest.mark.parametrize(
    ("host", "at"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.2", "127.0.0.2"),
        ("0.0.0.0", "127.0.0.1"),
        ("192.0.2.7", "192.0.2.7"),
        ("::1", "[::1]"),
        ("[::1]", "[::1]"),
        ("::", "[::1]"),
        ("LocalHost", "localhost"),
    ],
)
def test_each_service_is_reached_where_it_listens(tmp_path: Path, host: str, at: str) -> None:
    topology = build_topology(parser().parse_args([f"--host={host}"]), tmp_path / "valkey.sock", tmp_path)
    assert (topology.api_url, topology.viz_url) == (f"http://{at}:8000", f"http://{at}:9000")
    ready = {spec.name: spec.ready_url for spec in topology.services}
    assert ready["api"] == f"http://{at}:8000/health/ready"
    assert ready["viz"] == f"http://{at}:9000/health/ready"
    assert ready["worker"] == "http://127.0.0.1:8001/health/ready"
    environments = {spec.name: spec.environment for spec in topology.services}
    assert environments["bot-Aurora"]["API_URL"] == environments["viz"]["API_URL"] == topology.api_url
    assert environments["api"]["CORS_ORIGINS"].startswith(f"{topology.viz_url},")
    assert environments["worker"]["HOST"] == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::", "localhost"])
def test_a_port_is_used_only_at_the_address_of_its_server(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind((host, 0))
        server.listen()
        port = server.getsockname()[1]
        assert used_ports([(host, port)]) == [port]
        if host == "127.0.0.2":
            assert used_ports([("127.0.0.1", port)]) == []
    assert used_ports([(host, port)]) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_an_error(host: str) -> None:
    with pytest.raises(ListenError, match=f"cannot listen on {host}: .* with --host"):
        used_ports([(host, 8000)])
