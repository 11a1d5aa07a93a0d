"""Processes of a Planet Wars match: all of them end with it, and their output out of turn has no effect."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.long import LONG
from fixtures.processes import environment
from fixtures.waiting import wait_until
from sector.world.classic.program import Program, TurnReply

MAP = "P 0 0 1 34 2\nP 7 9 2 34 2\nP 3 3 0 15 5\n"
TURN_MS = 30_000
IDLE = "sh -c 'while read line; do [ \"$line\" = go ] && echo go; done'"
_SLEEP = "import os, time; print(os.getpid(), file=open('pid', 'w'), flush=True); time.sleep(3600)"
_SLEEPER = f"{sys.executable} -S sleeper.py"


_ENVIRONMENT = environment()
"""An absolute path: tests change the current folder, and paths of modules may be relative."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a map and a program that writes its process id and sleeps."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "map.txt").write_text(MAP)
    (tmp_path / "sleeper.py").write_text(_SLEEP)
    return tmp_path


def bot(folder: Path, answer: str) -> str:
    """Return the command of a program that runs this code in each turn."""
    (folder / "bot.py").write_text(
        "import os, signal, sys, time\n"
        "for line in sys.stdin:\n"
        "    if line.strip() == 'go':\n"
        f"        {answer.replace('\n', '\n        ')}\n"
    )
    return f"{sys.executable} -S bot.py"


def play(*commands: str, turn_ms: int = TURN_MS, turns: int = 3) -> "subprocess.Popen[str]":
    """Start a match."""
    command = [sys.executable, "-m", "sector.world.classic", "map.txt", str(turn_ms), str(turns), "log.txt", *commands]
    return subprocess.Popen(command, env=_ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sleeper(folder: Path) -> int:
    """Return the process id of the sleeping program as soon as it runs."""
    return int(
        wait_until(lambda: (folder / "pid").read_text().strip(), "a program that sleeps", errors=(FileNotFoundError,))
    )


def runs(pid: int) -> bool:
    """Return whether a process runs and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


WRAPPERS = {
    "runs it": _SLEEPER,
    "becomes it": f"exec {_SLEEPER}",
    "leaves it in the background": f"{_SLEEPER} & exit 0",
    "leaves it in another process group": f"set -m; {_SLEEPER} & exit 0",
    "leaves it in another session": f"setsid {_SLEEPER} <&0 & exit 0",
    "makes it a daemon": f"(setsid sh -c '({_SLEEPER} &)' &) & exit 0",
    "has it ignore signals": f"trap '' HUP TERM INT; {_SLEEPER} & wait",
}


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
async def test_a_program_ends_with_any_kind_of_wrapper_script(folder: Path, wrapper: str) -> None:
    (folder / "wrapper.sh").write_text(wrapper)
    program = await Program.start("bash wrapper.sh")
    pid = sleeper(folder)
    assert runs(pid)
    await program.stop()
    assert not runs(pid)


async def test_a_process_that_forks_in_a_loop_ends(folder: Path) -> None:
    (folder / "chain.py").write_text(
        "import os\nprint(os.getpid(), file=open('pid', 'w'), flush=True)\nwhile True:\n    if os.fork(): os._exit(0)\n"
    )
    program = await Program.start(f"{sys.executable} -S chain.py")
    group = sleeper(folder)
    await program.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@pytest.mark.parametrize("wrapper", ["runs it", "leaves it in another session"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
def test_all_programs_end_with_the_engine(folder: Path, number: signal.Signals, wrapper: str) -> None:
    (folder / "wrapper.sh").write_text(WRAPPERS[wrapper])
    with play("bash wrapper.sh", IDLE) as engine:
        pid = sleeper(folder)
        engine.send_signal(number)
        _, errors = engine.communicate(timeout=60)
    caught = number not in (signal.SIGQUIT, signal.SIGKILL)
    assert engine.returncode == (128 + number if caught else -number)
    assert errors == ""
    if caught:
        assert not runs(pid)
    wait_until(lambda: not runs(pid), "the end of the program")


def test_nohup_lets_a_match_continue(folder: Path) -> None:
    turns = bot(
        folder, "open('turn', 'w').close()\nwhile not os.path.exists('on'): time.sleep(0.01)\nprint('go', flush=True)"
    )
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        engine = play(turns, IDLE)
    finally:
        signal.signal(signal.SIGHUP, previous)
    wait_until((folder / "turn").exists, "the first turn")
    engine.send_signal(signal.SIGHUP)
    (folder / "on").touch()
    _, errors = engine.communicate(timeout=60)
    assert errors.splitlines()[-1] == "Draw!"


AFTER_GO = {
    "in one call": "print('go\\n0 1 5\\n', end='', flush=True)",
    "in a second call": "print('go', flush=True); print('0 1 5', flush=True)",
    "with a go of its own": "print('go\\n0 1 5\\ngo', flush=True)",
    "without the end of the line": "print('go\\n0 1 5', end='', flush=True)",
}
FLOOD = "print('go', flush=True); print('0 1 5\\n' * 50_000, end='', flush=True)"


async def three_turns(command: str, after_turn: Callable[[int], None] = lambda _: None) -> list[TurnReply]:
    program = await Program.start(command)
    answers = []
    for turn in range(3):
        answers.append(await program.turn("go\n", TURN_MS))
        await asyncio.to_thread(after_turn, turn)
    await program.stop()
    return answers


@pytest.mark.parametrize("answer", AFTER_GO.values(), ids=AFTER_GO)
async def test_output_after_go_is_no_order_of_the_next_turn(folder: Path, answer: str) -> None:
    done = folder / "done"
    done.touch()

    def until_written(turn: int) -> None:
        wait_until(lambda: len(done.read_text()) > turn, "all that the program writes in a turn")

    answers = await three_turns(bot(folder, f"{answer}\nopen('done', 'a').write('.')"), until_written)
    assert [(each.lines, each.end) for each in answers] == 3 * [([], "go")]
    assert answers[0].discarded == 0
    assert answers[1].discarded > 0


async def test_output_after_go_beyond_the_size_of_a_pipe_is_no_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The program continues to write while the engine reads. On a busy machine a pause must not look like the end.
    monkeypatch.setattr("sector.world.classic.output._QUIET_AFTER_OUTPUT_S", 1.0)
    answers = await three_turns(bot(folder, FLOOD))
    assert [(each.lines, each.end) for each in answers] == 3 * [([], "go")]
    assert answers[0].discarded == 0
    assert answers[1].discarded > 0


def test_the_log_has_the_size_of_output_after_go(folder: Path) -> None:
    with play(bot(folder, AFTER_GO["in one call"]), IDLE) as engine:
        _, errors = engine.communicate(timeout=60)
    assert errors.splitlines()[-1] == "Draw!"
    assert "player1 > engine: 6 bytes after its last go, discarded\n" in (folder / "log.txt").read_text()
    assert "0 1 5" not in (folder / "log.txt").read_text()


async def test_a_program_that_never_stops_writing_takes_one_turn_at_most(folder: Path) -> None:
    program = await Program.start("yes go")
    async with asyncio.timeout(TURN_MS / 1000):
        assert [(await program.turn("go\n", 200)).lines for _ in range(3)] == 3 * [[]]
    await program.stop()


async def test_a_program_with_an_endless_reply_is_dropped(folder: Path) -> None:
    program = await Program.start("yes '0 1 0'")
    assert (await program.turn("go\n", TURN_MS)).end == "crashed"
    await program.stop()


async def test_a_last_line_without_a_newline_counts(folder: Path) -> None:
    program = await Program.start(bot(folder, "print('0 1 5\\ngo', end='', flush=True); sys.exit()"))
    assert await program.turn("go\n", TURN_MS) == TurnReply(["0 1 5"], "go")
    assert await program.turn("go\n", TURN_MS) == TurnReply([], "crashed")
    await program.stop()


CRASHES = {
    "exits": "sys.exit(1)",
    "exits with 0": "sys.exit()",
    "raises": "raise ValueError('a bug')",
    "is killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "has a segmentation fault": "os.kill(os.getpid(), signal.SIGSEGV)",
    "exits within a line": "print('0 1', end='', flush=True); os._exit(1)",
    "closes its output": "os.close(1); time.sleep(3600)",
    "closes its input and exits": "os.close(0); os._exit(0)",
    "kills its guard": "os.kill(os.getppid(), signal.SIGKILL); time.sleep(3600)",
    "stops itself and is killed": "os.fork() or (time.sleep(0.1), os.kill(os.getppid(), 9), os._exit(0)); signal.raise_signal(19)",
}


@pytest.mark.parametrize("turn", [1, 3] if LONG else [3])
@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
def test_a_match_continues_after_the_crash_of_a_player(folder: Path, crash: str, turn: int) -> None:
    crashing = bot(
        folder, f"turn = globals().get('turn', 0) + 1\nif turn == {turn}:\n    {crash}\nprint('go', flush=True)"
    )
    with play(crashing, IDLE, turns=6) as engine:
        playback, errors = engine.communicate(timeout=60)
    assert engine.returncode == 0
    before = [f"Turn {number}" for number in range(1, turn)]
    assert errors.splitlines() == [*before, "WARNING: player 1 crashed.", f"Turn {turn}", "Player 2 Wins!"]
    assert playback.endswith(":\n")


@pytest.mark.parametrize("crash", ["sys.exit(1)", "os.close(0)\nprint('go', flush=True)\ntime.sleep(3600)"])
def test_a_player_that_does_not_read_a_large_state_is_dropped(folder: Path, crash: str) -> None:
    (folder / "map.txt").write_text(MAP + "P 1 1 0 1 1\n" * 9_000)
    (folder / "bot.py").write_text(f"import os, sys, time\nsys.stdin.readline()\n{crash}\n")
    with play(f"{sys.executable} -S bot.py", IDLE, turns=3) as engine:
        _, errors = engine.communicate(timeout=60)
    assert engine.returncode == 0
    assert "WARNING: player 1 crashed." in errors
    assert "Traceback" not in errors
    assert errors.endswith("Player 2 Wins!\n")


def test_all_programs_end_if_one_cannot_be_started(folder: Path) -> None:
    with play(_SLEEPER, "'unclosed", IDLE) as engine:
        _, errors = engine.communicate(timeout=60)
    assert (engine.returncode, errors) == (1, "ERROR: failed to start client: 'unclosed: No closing quotation\n")
    assert not (folder / "pid").exists() or not runs(sleeper(folder))


@pytest.mark.parametrize("command", ["", "/nowhere/bot", "./map.txt", "."])
async def test_a_program_that_cannot_be_started_is_an_error_with_a_reason(folder: Path, command: str) -> None:
    with pytest.raises(OSError, match=f"failed to start client: {command}: ."):
        await Program.start(command)


def test_a_playback_without_a_reader_ends_the_match_with_one_line(folder: Path) -> None:
    with play(IDLE, IDLE) as engine:
        assert engine.stdout is not None
        engine.stdout.close()
        assert engine.wait(timeout=60) == 1
        assert engine.stderr is not None
        assert engine.stderr.read().splitlines()[-1] == "ERROR: the reader of the playback has closed it"
