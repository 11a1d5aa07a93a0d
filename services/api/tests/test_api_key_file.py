"""A thread reads the key file. Neither a stalled disk nor another kind of file stops the API."""

import asyncio
import json
import logging
import os
import threading
from pathlib import Path

import httpx
import pytest
from jwt.utils import base64url_encode
from stalling_api import stall_of

from fixtures.file_states import FILE_STATES, remove
from fixtures.orders import NOTE
from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.tokens import bearer_header, create_token
from sector.api import keyring
from sector.api.jwks import KeyFileError, KeySet, load_keys
from sector.api.keyring import KeyRing

ONE, TWO = "the first secret of the file, which is long", "the second secret of the file, which is long"
UNREAD = "AUTH_JWKS cannot be used: it cannot be read: "
STALLED = f"{UNREAD}the disk does not answer; the previous keys are used until it is corrected"


def write(path: Path, secret: str) -> Path:
    key = {"kty": "oct", "kid": secret.split()[1], "k": base64url_encode(secret.encode()).decode()}
    path.write_text(json.dumps({"keys": [key]}))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "keys.json", ONE)


@pytest.fixture
def stalled_api(sim: Sim, redis_url: str, processes: Processes, path: Path) -> Service:
    """An API whose disk stalls."""
    del sim
    api = processes.start("api", module="stalling_api", REDIS_URL=redis_url, AUTH_JWKS=str(path))
    os.mkfifo(stall_of(path))
    write(path, TWO)
    api.wait_for_fault("keys", STALLED)
    return api


def order(api: Service, secret: str) -> int:
    return httpx.post(
        f"{api.url}/orders", json=NOTE, headers=bearer_header(create_token("Crimson", secret=secret))
    ).status_code


def test_requests_are_answered_while_the_disk_stalls(stalled_api: Service, path: Path) -> None:
    assert [order(stalled_api, secret) for secret in (ONE, TWO)] == [202, 401]
    assert httpx.get(f"{stalled_api.url}/snapshot").status_code == 200
    assert httpx.get(f"{stalled_api.url}/health/ready").status_code == 200
    with stall_of(path).open("wb"):
        # The API reads the pipe from now on.
        stall_of(path).unlink()
    stalled_api.wait_for(lambda health: health["conditions"]["keys"]["ok"], "without a fault")
    assert [order(stalled_api, secret) for secret in (ONE, TWO)] == [401, 202]


def test_the_api_ends_while_the_disk_stalls(stalled_api: Service) -> None:
    assert stalled_api.end() == 0


async def test_a_stalled_read_is_reported_and_not_repeated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, reads = threading.Event(), 0

    def load_late(path: Path) -> KeySet:
        nonlocal reads
        reads += 1
        answers.wait()
        return load_keys(path)

    ring = KeyRing(None, path)
    write(path, TWO)
    monkeypatch.setattr(keyring, "load_keys", load_late)
    for _ in range(3):
        await ring.refresh(timeout_s=0)
        assert (ring.fault, [key.id for key in ring.find("first")]) == (STALLED, ["first"])
    answers.set()
    await ring.refresh(timeout_s=60)
    assert (ring.fault, [key.id for key in ring.find("second")]) == (None, ["second"])
    assert reads == 1


@pytest.mark.usefixtures("file_modes")
async def test_keys_stay_valid_while_the_file_is_unreadable(path: Path) -> None:
    ring, content, stamp = KeyRing(None, path), path.read_bytes(), path.stat()
    for state, make in FILE_STATES.items():
        before = path.rename(path.with_name("before"))
        make(path)
        await ring.refresh(timeout_s=60)
        assert str(ring.fault).startswith("AUTH_JWKS cannot be used: "), state
        assert ring.find("first"), state
        remove(path)
        # The same file as before, with the same modification time.
        before.rename(path)
        await ring.refresh(timeout_s=60)
        assert ring.fault is None, state
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, stamp.st_mtime_ns)
    assert ring.version == 1, "it was never another one"


async def test_an_unexpected_error_is_raised(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = KeyRing(None, path)
    write(path, TWO)

    def fail(_: Path) -> KeySet:
        raise ZeroDivisionError

    monkeypatch.setattr(keyring, "load_keys", fail)
    with pytest.raises(ZeroDivisionError):
        await ring.refresh(timeout_s=60)


async def test_the_keys_stay_if_no_thread_can_be_started(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = KeyRing(None, path)
    with monkeypatch.context() as patched:
        patched.setattr("threading.Thread.start", _refuse_thread)
        await ring.refresh(timeout_s=60)
    assert "no thread can be started" in str(ring.fault)
    assert ring.find("first")
    await ring.refresh(timeout_s=60)
    assert ring.fault is None


def _refuse_thread(_: object) -> None:
    raise RuntimeError("can't start new thread")


async def test_a_ring_of_a_secret_alone_reads_nothing() -> None:
    ring = KeyRing(ONE, None)
    await ring.refresh(timeout_s=60)
    assert (len(ring), ring.fault, ring.reads_file) == (1, None, False)


def test_a_key_file_above_1_mib_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" " * 2**20)
    with pytest.raises(KeyFileError, match="it is larger than the limit of 1048576 bytes"):
        load_keys(path)


def test_a_change_is_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ring = KeyRing(None, path)
    write(path, TWO)
    with caplog.at_level(logging.INFO):
        asyncio.run(ring.refresh(timeout_s=60))
    (record,) = caplog.records
    assert record.getMessage() == "AUTH_JWKS loaded"
    assert (vars(record)["file"], vars(record)["keys"]) == (str(path), ["second"])
