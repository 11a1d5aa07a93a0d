"""Sessions of Engine.IO: handshakes, which expire unless they join soon, and spectators, limited in total and per address.

A handshake costs a client one request. So it counts as a spectator only once it has joined, with the CONNECT of Socket.IO.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sector.process.client_networks import client_network

JOIN_WITHIN_S = 5.0
MAX_PENDING = 2_000
MAX_PENDING_PER_ADDRESS = 500


@dataclass(slots=True)
class _Session:
    network: str
    timer: asyncio.TimerHandle | None = None
    """When a handshake expires; None once the session has joined."""


class Sessions:
    """All sessions of a process. `close` is called with the id of a session that must end, once it is removed."""

    def __init__(self, close: Callable[[str], None], *, max_joined: int, max_per_address: int) -> None:
        self._close = close
        self._max_joined = max_joined
        self._max_per_address = max_per_address
        self._sessions: dict[str, _Session] = {}
        self._pending: dict[str, None] = {}
        self._pending_of: dict[str, dict[str, None]] = {}
        """Handshakes by network. In both maps the oldest is first."""
        self._joined_of: dict[str, int] = {}
        self.joined = 0

    @property
    def pending(self) -> int:
        """How many handshakes have not joined yet."""
        return len(self._pending)

    def refusal(self, address: str, *, polls: bool) -> str:
        """Return why another handshake from this address is refused; empty if it is accepted."""
        network = client_network(address)
        if self.joined >= self._max_joined:
            return f"the limit of {self._max_joined} spectators is reached"
        if self._max_per_address and self._joined_of.get(network, 0) >= self._max_per_address:
            return f"the limit of {self._max_per_address} spectators per address is reached"
        # A handshake by polling holds no connection, so a client can start any number of them.
        if polls and len(self._pending_of.get(network, ())) >= MAX_PENDING_PER_ADDRESS:
            return "too many pending handshakes from this address: try again later"
        return ""

    def begin(self, session_id: str, address: str) -> None:
        """Add a handshake. If there are too many, end the oldest one: of its address, or of all."""
        network = client_network(address)
        if len(of_network := self._pending_of.get(network, {})) >= MAX_PENDING_PER_ADDRESS:
            self._expire(next(iter(of_network)))
        elif len(self._pending) >= MAX_PENDING:
            self._expire(next(iter(self._pending)))
        timer = asyncio.get_running_loop().call_later(JOIN_WITHIN_S, self._expire, session_id)
        self._sessions[session_id] = _Session(network, timer)
        self._pending[session_id] = None
        self._pending_of.setdefault(network, {})[session_id] = None

    def join(self, session_id: str) -> bool:
        """Count a session as a spectator. Return False if that exceeds a limit, or if the session has ended."""
        session = self._sessions.get(session_id)
        if session is None:
            return False
        if session.timer is None:
            return True
        count = self._joined_of.get(session.network, 0)
        if self.joined >= self._max_joined or (self._max_per_address and count >= self._max_per_address):
            return False
        self._drop_pending(session_id, session)
        self._joined_of[session.network] = count + 1
        self.joined += 1
        return True

    def end(self, session_id: str) -> None:
        """Remove a session."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        if session.timer is not None:
            self._drop_pending(session_id, session)
            return
        self.joined -= 1
        if (count := self._joined_of[session.network] - 1) > 0:
            self._joined_of[session.network] = count
        else:
            del self._joined_of[session.network]

    def _drop_pending(self, session_id: str, session: _Session) -> None:
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        del self._pending[session_id]
        of_network = self._pending_of[session.network]
        del of_network[session_id]
        if not of_network:
            del self._pending_of[session.network]

    def _expire(self, session_id: str) -> None:
        self.end(session_id)
        self._close(session_id)
