"""Fair input: clients that send at once do not hold the request of another, and all are answered."""

import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from fixtures.metrics import until_metrics
from fixtures.processes import Processes, Service
from sector.process.fair_input import FairInput

CROWD = 400
"""Clients at one address: four times as many as a listening socket holds by default."""
_WITHIN_S = 60.0


class Loop:
    """An event loop whose iterations the test runs."""

    def __init__(self) -> None:
        self._next: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        """Call it in the next iteration."""
        self._next.append(call)

    def iterate(self) -> bool:
        """Run an iteration. Returns whether there was something to do."""
        calls, self._next = self._next, []
        for call in calls:
            call()
        return bool(calls)


class Clients:
    """Handles input of clients in a loop, and notes whose."""

    def __init__(self, per_iteration: int) -> None:
        self.loop = Loop()
        self.handled: list[str] = []
        self._input = FairInput(self.loop.call_soon, per_iteration)

    def send(self, network: str, text: str = "") -> None:
        """Have a client send something."""
        if self._input.take():
            self.handled.append(network + text)
        else:
            self._input.queue(network, lambda: self.handled.append(network + text))


def test_a_few_are_handled_at_once_and_all_in_the_end() -> None:
    clients = Clients(per_iteration=3)
    for _ in range(10):
        clients.send("a")
    counts = [len(clients.handled)]
    while clients.loop.iterate():
        counts.append(len(clients.handled))
    assert counts == [3, 6, 9, 10, 10]


def test_another_network_waits_for_one_turn_and_not_for_all() -> None:
    clients = Clients(per_iteration=2)
    for _ in range(100):
        clients.send("a")
    clients.send("b")
    clients.send("c")
    clients.loop.iterate()
    clients.loop.iterate()
    assert clients.handled == ["a", "a", "a", "b", "c", "a"]


def test_what_a_network_sends_is_handled_in_order() -> None:
    clients = Clients(per_iteration=2)
    for number in range(20):
        clients.send("a", str(number))
        if number % 3 == 0:
            clients.loop.iterate()
    while clients.loop.iterate():
        pass
    assert clients.handled == [f"a{number}" for number in range(20)]


def test_after_a_quiet_time_input_is_handled_at_once_again() -> None:
    clients = Clients(per_iteration=2)
    for _ in range(5):
        clients.send("a")
    while clients.loop.iterate():
        pass
    clients.send("b")
    assert clients.handled[-1] == "b"


def connect(port: int, address: str, within: ExitStack) -> socket.socket:
    """Connect from an address of the loopback network."""
    client = socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S, source_address=(address, 0))
    return within.enter_context(client)


def send_while_stopped(service: Service, clients: list[socket.socket], requests: list[bytes]) -> None:
    """Have clients send while the process is stopped; then let it go on."""
    service.process.send_signal(signal.SIGSTOP)
    for client, path in zip(clients, requests, strict=True):
        client.sendall(b"GET %s HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n" % path)
    service.process.send_signal(signal.SIGCONT)


def rest(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(4096), b""))


def test_a_crowd_that_asks_at_once_does_not_hold_another_client(processes: Processes) -> None:
    service = processes.start("api", module="sample_process", WORK="wait")
    with ExitStack() as stack:
        crowd = [connect(service.port, "127.0.0.7", stack) for _ in range(CROWD)]
        other = connect(service.port, "127.0.0.9", stack)
        until_metrics(service.url, lambda found: found["sector_http_connections"] > CROWD, "all are accepted")
        send_while_stopped(service, [*crowd, other], [b"/log?bytes=1"] * CROWD + [b"/log?bytes=2"])
        assert all(rest(client).startswith(b"HTTP/1.1 204") for client in (*crowd, other)), "each is answered"
    assert service.end() == 0
    order = [line.count("x") for line in service.log.read_text().splitlines() if "a line" in line]
    assert len(order) == CROWD + 1
    assert order.index(2) < CROWD / 4


@pytest.mark.skipif(
    int(Path("/proc/sys/net/core/somaxconn").read_text()) <= CROWD, reason="needs net.core.somaxconn above 400"
)
def test_a_crowd_that_connects_at_once_is_not_dropped(processes: Processes) -> None:
    service = processes.start("api", module="sample_process", WORK="wait")
    with ExitStack() as stack:
        service.process.send_signal(signal.SIGSTOP)
        began_s = time.monotonic()
        clients = [connect(service.port, "127.0.0.7", stack) for _ in range(CROWD)]
        took_s = time.monotonic() - began_s
        send_while_stopped(service, clients, [b"/log"] * CROWD)
        assert all(rest(client).startswith(b"HTTP/1.1 204") for client in clients)
    # The system repeats the first packet of a connection after a second, then after two, four and so on.
    assert took_s < CROWD / 100


def test_what_is_sent_in_many_parts_at_once_stays_in_order(processes: Processes) -> None:
    service = processes.start("api", module="sample_process", WORK="wait")
    parts = (b"GET /log", b"?bytes=3 HTTP/1.1\r\n", b"host: a\r\nconn", b"ection: close\r\n", b"\r\n")
    with ExitStack() as stack:
        clients = [connect(service.port, "127.0.0.7", stack) for _ in range(50)]
        for part in parts:
            for client in clients:
                client.sendall(part)
        assert all(rest(client).startswith(b"HTTP/1.1 204") for client in clients)


def test_clients_that_vanish_while_they_wait_disturb_nobody(processes: Processes) -> None:
    service = processes.start("api", module="sample_process", WORK="wait")
    with ExitStack() as stack:
        vanishing = [connect(service.port, "127.0.0.7", stack) for _ in range(50)]
        send_while_stopped(service, vanishing, [b"/log"] * 50)
        for client in vanishing:
            client.close()
        staying = connect(service.port, "127.0.0.7", stack)
        send_while_stopped(service, [staying], [b"/log"])
        assert rest(staying).startswith(b"HTTP/1.1 204")
    assert service.end() == 0
    assert "Traceback" not in service.log.read_text()
