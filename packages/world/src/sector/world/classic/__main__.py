"""`python -m sector.world.classic`: plays a match of Planet Wars between programs, like the engine of the contest."""

import argparse
import asyncio
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from sector.models.printable import printable
from sector.models.regular_file import FileError, open_output, read_text
from sector.world.classic.limits import Limits
from sector.world.classic.match import Match
from sector.world.classic.program import Program
from sector.world.classic.referee import Referee
from sector.world.classic.text import ClassicFleet, MapTextError, Planet, parse_map

_ABOUT = """\
Plays a match of Planet Wars (the AI Challenge of 2010) between programs that speak its protocol on stdin and stdout.
Each turn the engine sends the state to each program, with the program as player 1, followed by a line `go`. The program answers
with its orders, a line `SOURCE TARGET SHIPS` each, and a line `go`. A program that breaks a rule, crashes or times out is dropped.
The playback is written to stdout; turn numbers and the winner are written to stderr.
"""
_EXAMPLE = """\
example:
  python -m sector.world.classic maps/map7.txt 1000 200 log.txt "java -jar BullyBot.jar" "python MyBot.py" > playback.txt
"""

_MAX_MAP_BYTES = 16 * 2**20
_EXIT_WRONG_FILE = 2
_SHELL_SIGNAL = 128
"""A shell reports the end of a process by a signal as this status plus the signal number."""


class _StopSignals:
    """The signals that end a match and its programs, except SIGINT, which asyncio handles.

    `received`: the first signal, or 0.
    """

    def __init__(self) -> None:
        self.received = 0

    def cancel(self, match: "asyncio.Task[object]") -> None:
        """Cancel a match at the first signal. Ignored signals stay ignored: `nohup` ignores SIGHUP."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, self._receive, number, match)

    def _receive(self, number: int, match: "asyncio.Task[object]") -> None:
        if not self.received:
            self.received = number
            match.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    stop = _StopSignals()
    try:
        planets, fleets = parse_map(read_text(options.map, _MAX_MAP_BYTES))
        with open_output(options.log) as stream, io.TextIOWrapper(stream, "utf-8") as log:
            winner = asyncio.run(_play(planets, fleets, options, log, stop))
    except MapTextError as error:
        return _fail(f"failed to start game. map: {options.map}: {error}")
    except BrokenPipeError:
        # Otherwise Python would flush once more at exit and print a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail("the reader of the playback has closed it")
    except FileError as error:
        _fail(str(error))
        return _EXIT_WRONG_FILE
    except OSError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _SHELL_SIGNAL + signal.SIGINT
    except asyncio.CancelledError:
        return _SHELL_SIGNAL + stop.received
    print(f"Player {winner} Wins!" if winner else "Draw!", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sector.world.classic",
        description=_ABOUT,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("map", metavar="MAP", type=Path, help="the map, in the contest's format")
    parser.add_argument(
        "turn_ms", metavar="TURN_MS", type=_count, help="time limit of a program per turn, in milliseconds"
    )
    parser.add_argument(
        "max_turns",
        metavar="MAX_TURNS",
        type=_count,
        help="number of turns after which the player with the most ships wins",
    )
    parser.add_argument("log", metavar="LOG", type=Path, help="file for the messages between engine and programs")
    parser.add_argument(
        "--memory-mib",
        metavar="MIB",
        type=_count,
        default=Limits().memory_mib,
        help="address space limit of a program, in MiB; Java reserves much (default: %(default)s)",
    )
    parser.add_argument(
        "commands", metavar="COMMAND", nargs="+", help="command of a program, one per player, two or more"
    )
    return parser


def _count(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{value} is not between 0 and {2**31 - 1}")
    return value


async def _play(
    planets: Sequence[Planet],
    fleets: Sequence[ClassicFleet],
    options: argparse.Namespace,
    log: TextIO,
    stop: _StopSignals,
) -> int:
    if (task := asyncio.current_task()) is not None:
        stop.cancel(task)
    log.write("initializing\n")
    programs: list[Program] = []
    limits = Limits.of_match(options.turn_ms, options.max_turns, options.memory_mib)
    try:
        for command in options.commands:
            programs.append(await Program.start(command, limits))  # noqa: PERF401 # all started ones must stop
        match = Match(planets, fleets, len(programs), options.max_turns)
        return await Referee(match, programs, options.turn_ms, sys.stdout, log).play(planets)
    finally:
        await asyncio.gather(*(program.stop() for program in programs))


def _fail(reason: str) -> int:
    print(printable(f"ERROR: {reason}"), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
