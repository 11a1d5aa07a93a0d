"""Limits of programs that play Planet Wars: they cannot read the environment of the engine or exhaust the machine."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sector.world.classic.limits import Limits
from sector.world.classic.program import Program, TurnReply

TURN_MS = 30_000

type Play = Callable[..., Awaitable[TurnReply]]


@pytest.fixture
async def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Play]:
    """Starts a program of this code in its own folder. Returns its reply in the first turn."""
    monkeypatch.chdir(tmp_path)
    started: list[Program] = []

    async def play(code: str, limits: Limits = Limits()) -> TurnReply:  # noqa: B008
        (tmp_path / "bot.py").write_text(f"import os, sys\nsys.stdin.readline()\n{code}\nprint('go', flush=True)\n")
        started.append(await Program.start(f"{sys.executable} -S bot.py", limits))
        return await started[-1].turn("go\n", TURN_MS)

    yield play
    for program in started:
        await program.stop()


async def test_a_program_does_not_inherit_the_environment(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH_SECRET", "ours")
    monkeypatch.setenv("REDIS_URL", "redis://operator:password@127.0.0.1/0")
    monkeypatch.setenv("LANG", "C.UTF-8")
    answer = await play("print(*sorted(os.environ)); print(os.environ['HOME'])")
    names, home = answer.lines
    # (Python adds the type of characters itself)
    assert set(names.split()) - {"lc_ctype"} == {"home", "lang", "path"}
    assert home == str(tmp_path).lower()


async def test_a_program_does_not_inherit_descriptors(play: Play, tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        answer = await play(f"try: os.fstat({ours.fileno()})\nexcept OSError: print('none')")
    assert answer == TurnReply(["none"], "go")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("try: b'x' * 2**29\nexcept MemoryError: print('refused')", ["refused"]),
        (
            "files = []\ntry:\n    while True: files.append(open('bot.py'))\nexcept OSError: print('refused')",
            ["refused"],
        ),
        (
            "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "try:\n    with open('big', 'wb') as file:\n        for _ in range(9): file.write(bytes(2**20))\n"
            "except OSError: print('refused')",
            ["refused"],
        ),
        ("import resource; print(*resource.getrlimit(resource.RLIMIT_CORE))", ["0 0"]),
    ],
    ids=["memory", "descriptors", "files", "core"],
)
async def test_memory_files_and_descriptors_are_limited(play: Play, code: str, message: list[str]) -> None:
    assert await play(code, Limits(memory_mib=256, descriptors=32, file_mib=4)) == TurnReply(message, "go")


async def test_processor_time_is_limited(play: Play) -> None:
    assert (await play("while True: pass", Limits(cpu_s=1))).end == "crashed"


async def test_a_program_may_reserve_as_much_address_space_as_java(play: Play) -> None:
    limits = Limits.of_match(turn_ms=1000, max_turns=200, memory_mib=Limits().memory_mib)
    code = (
        "import mmap; there = mmap.mmap(-1, 3 * 2**30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); print('reserved')"
    )
    assert await play(code, limits) == TurnReply(["reserved"], "go")


def test_the_longest_possible_match_has_a_limit() -> None:
    Limits.of_match(turn_ms=2**31 - 1, max_turns=2**31 - 1, memory_mib=4096)
