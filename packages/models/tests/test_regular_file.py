"""Files that an operator names: only a regular file of a limited size is read, and a pipe does not block."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from fixtures.certificates import self_signed
from fixtures.file_states import FILE_STATES, NO_FILE
from sector.models import regular_file
from sector.models.certificates import authorities_context, check_authorities, check_certificate, client_context
from sector.models.mapfile import read_map
from sector.models.regular_file import (
    FileError,
    check_file,
    check_replaceable,
    open_file,
    open_output,
    read_file,
    read_tail,
    read_text,
    stable_path,
)

MIB = 2**20

pytestmark = pytest.mark.usefixtures("file_modes")


@pytest.mark.parametrize("state", NO_FILE)
def test_only_a_regular_file_is_read(state: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    FILE_STATES[state](path)
    for read in (check_file, lambda path: read_file(path, MIB), lambda path: read_tail(path, MIB)):
        with pytest.raises(FileError, match="it cannot be read: ") as raised:
            read(path)
        assert raised.value.path == path
        assert "Errno" not in str(raised.value)
    with pytest.raises(FileError), open_file(path):
        pass


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300])
def test_an_invalid_file_name_is_a_file_error(name: str) -> None:
    with pytest.raises(FileError, match="it cannot be read: "):
        read_file(name, MIB)


def test_a_file_that_a_pipe_replaces_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    regular = path.stat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "stat", lambda _: regular)
    with pytest.raises(FileError, match="it is a named pipe"):
        read_file(path, MIB)


def test_the_stable_path_is_that_of_the_opened_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with stable_path(path, MIB) as opened:
        path.unlink()
        os.mkfifo(path)
        assert Path(opened).read_bytes() == b"content"
    with pytest.raises(FileError, match="it is a named pipe"), stable_path(path, MIB):
        pass


def test_a_certificate_that_becomes_a_pipe_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = self_signed(tmp_path)

    @contextmanager
    def replaced(path: Path | str) -> Iterator[BinaryIO]:
        with open_file(path) as stream:
            content = Path(path).read_bytes()
            Path(path).unlink()
            os.mkfifo(path)
            yield stream
        Path(path).unlink()
        Path(path).write_bytes(content)

    monkeypatch.setattr(regular_file, "open_file", replaced)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    check_authorities(str(path))
    for context in (authorities_context(str(path)), client_context()):
        assert context.cert_store_stats()["x509"] == 1


def test_a_file_has_as_many_bytes_as_are_allowed_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_file(path, 5) == b"12345"
    with pytest.raises(FileError, match="it is larger than the limit of 4 bytes"):
        read_file(path, 4)
    assert read_tail(path, 2) == b"45"
    assert read_tail(path, 9) == b"12345"


def test_a_file_without_a_size_is_read_up_to_the_limit() -> None:
    assert read_file("/proc/self/status", MIB).startswith(b"Name:")
    with pytest.raises(FileError, match="larger than the limit of 4 bytes"):
        read_file("/proc/self/status", 4)


def test_text_is_utf_8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("\ufeffgrün\r\n".encode())
    assert read_text(path, MIB) == "grün\r\n"
    path.write_bytes(b"\xff")
    with pytest.raises(FileError, match="it is not valid UTF-8"):
        read_text(path, MIB)


@pytest.mark.parametrize("state", ["missing", "a dangling link", "empty", "binary"])
def test_an_output_may_be_new_or_replace_a_file(state: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    FILE_STATES[state](path)
    check_replaceable(path)
    with open_output(path) as stream:
        stream.write(b"new")
    with open_output(path, append=True) as stream:
        stream.write(b"er")
    assert path.read_bytes() == b"newer"


@pytest.mark.parametrize("state", sorted(NO_FILE.keys() - {"missing", "a dangling link", "not readable"}))
def test_an_output_replaces_only_a_regular_file(state: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    FILE_STATES[state](path)
    with pytest.raises(FileError, match="it cannot be written: "):
        check_replaceable(path)


@pytest.mark.parametrize("state", ["a folder", "a pipe without a writer", "a loop of links", "a socket"])
def test_a_pipe_without_a_reader_does_not_block(state: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    FILE_STATES[state](path)
    with pytest.raises(FileError, match="it cannot be written: "), open_output(path):
        pass


def test_an_output_may_be_a_device(tmp_path: Path) -> None:
    with open_output("/dev/null") as stream:
        stream.write(b"x")
    path = tmp_path / "link"
    FILE_STATES["a link to /dev/full"](path)
    with pytest.raises(OSError, match="No space left"), open_output(path) as stream:
        stream.write(b"x")


@pytest.mark.parametrize("state", FILE_STATES)
def test_invalid_certificates_and_maps_are_rejected(state: str, tmp_path: Path) -> None:
    path, good = tmp_path / "file", self_signed(tmp_path)
    FILE_STATES[state](path)
    for check in (
        check_authorities,
        check_certificate,
        lambda text: check_certificate(str(good), text),
        lambda text: check_certificate(text, str(good)),
    ):
        with pytest.raises(FileError) as raised:
            check(str(path))
        assert raised.value.path == path
    # (the error of pydantic for a map is a ValueError, like a FileError)
    with pytest.raises(ValueError, match="file|JSON|model|Input|object"):
        read_map(path)


def test_a_certificate_needs_its_own_key_without_a_passphrase(tmp_path: Path) -> None:
    good, other = str(self_signed(tmp_path)), str(self_signed(tmp_path, "other.pem"))
    check_authorities(good)
    check_certificate(good)
    check_certificate(good, good)
    with pytest.raises(FileError, match=r"other.pem: its key does not belong to the certificate"):
        check_certificate(good, other)
    closed = self_signed(tmp_path, "closed.pem", passphrase=b"hunter2")
    with pytest.raises(FileError, match="without a passphrase"):
        check_certificate(str(closed))
